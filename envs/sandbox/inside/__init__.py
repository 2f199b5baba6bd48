"""The part of the sandbox that runs in interpreters of its own, away from gigym and its memory.

It is started by path with the standard library alone, so these modules import nothing else:
`zygote` waits with the libraries loaded, `keeper` watches one run, `child` walls itself in and
runs the code, `kernel`, `view` and `seccomp` hold the system calls, `probes` tries each of them.
"""
