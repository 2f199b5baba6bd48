"""Official data, fetched once and kept as packs and stores that environments find by name.

What is fetched is data alone: nothing of it is run, no name in an archive becomes a path, and the
files take their place only after their content was verified. `fetch` brings one file over HTTP
and resumes, `alfworld` and `webshop` know what the files are and turn them into ours, `places`
knows where they lie; the latter costs no more than `os`.
"""

from .places import alfworld_folder, data_home, official_games, official_shop, webshop_folder

__all__ = [
    "alfworld_folder",
    "data_home",
    "official_games",
    "official_shop",
    "webshop_folder",
]
