"""One end of a transfer by libtorrent, as benchmarks/torrent-side.ts starts it:

    libtorrent-end.py seed TORRENT PARENT PORT         serves PARENT/NAME, which is not hashed again
    libtorrent-end.py fetch TORRENT PARENT PEER_PORT   fetches it into PARENT and ends
"""

import sys
import time

import libtorrent

mode, torrent, parent, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
settings = {
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "allow_multiple_connections_per_ip": True,
    "mixed_mode_algorithm": 0,
    "connection_speed": 100,
    "unchoke_slots_limit": -1,
    "listen_interfaces": "127.0.0.1:%d" % (port if mode == "seed" else 0),
}
session = libtorrent.session(settings)
parameters = libtorrent.add_torrent_params()
parameters.ti = libtorrent.torrent_info(torrent)
parameters.save_path = parent
if mode == "seed":
    parameters.flags |= libtorrent.torrent_flags.seed_mode
handle = session.add_torrent(parameters)
handle.resume()
if mode == "fetch":
    handle.connect_peer(("127.0.0.1", port))
while mode == "seed" or not handle.status().is_seeding:
    time.sleep(0.005 if mode == "fetch" else 1)
