"""Worker processes that hold sessions: for environments that are unsafe, slow or bound to the GIL.

The server keeps of each session what it takes to play it again (`seat.py`), sends its items on and
passes the answers through unread. A worker that dies or hangs is replaced (`worker.py`), and its
other sessions do not notice. Processes are placed by `pool.py`; this file imports nothing, so that
they start sooner. POSIX only.
"""
