"""
One libtorrent client of a race.

Usage: libtorrent_peer.py source|target TORRENT DIRECTORY ADDRESS PORT GO MARKER

It prints "ready" when its session runs, adds the torrent when the file GO is there, and makes the file MARKER when it has
all of it, verified. It shares until it is ended.
"""

import os
import sys
import time

import libtorrent


def main():
    role, torrent, directory, address, port, go, marker = sys.argv[1:]
    session = libtorrent.session(
        {
            "listen_interfaces": f"{address}:{port}",
            "enable_dht": False,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            "enable_incoming_utp": False,
            "enable_outgoing_utp": False,
            "mixed_mode_algorithm": 0,
            "connection_speed": 200,
            "unchoke_slots_limit": -1,
            "allow_multiple_connections_per_ip": True,
            "min_announce_interval": 2,
            "min_reconnect_time": 1,
            "alert_mask": libtorrent.alert.category_t.status_notification,
        }
    )
    parameters = libtorrent.add_torrent_params()
    parameters.ti = libtorrent.torrent_info(torrent)
    parameters.save_path = directory
    parameters.flags &= ~libtorrent.torrent_flags.auto_managed
    parameters.flags &= ~libtorrent.torrent_flags.paused
    if role == "source":
        parameters.flags |= libtorrent.torrent_flags.seed_mode
    print("ready", flush=True)
    while not os.path.exists(go):
        time.sleep(0.002)
    session.add_torrent(parameters)
    while True:
        session.wait_for_alert(1000)
        for alert in session.pop_alerts():
            if isinstance(alert, libtorrent.torrent_finished_alert) and role == "target":
                open(marker, "w").close()


main()
