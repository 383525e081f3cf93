# %%
import socket
import urllib.request


def refused(name, attempt):
    try:
        attempt()
    except OSError as error:
        print(name, type(error).__name__)
        return
    raise AssertionError(f"could {name}")


def connect(family, kind, address):
    def attempt():
        with socket.socket(family, kind) as link:
            link.settimeout(2)
            link.connect(address)
            if kind == socket.SOCK_DGRAM:
                link.send(b"x")

    return attempt


for port in (22, 53, 80, 111, 443, 2375, 5000, 8080, 8888):
    refused(f"reach port {port}", connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", port)))
refused("reach the metadata", connect(socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)))
refused("send by UDP", connect(socket.AF_INET, socket.SOCK_DGRAM, ("8.8.8.8", 53)))
refused("use IPv6", connect(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 80)))
refused("resolve", lambda: socket.getaddrinfo("example.com", 80))
refused("download", lambda: urllib.request.urlopen("http://example.com", timeout=2))

# %%
for name, family, kind, number in (
    ("send raw packets", socket.AF_PACKET, socket.SOCK_RAW, 3),
    ("send raw IP", socket.AF_INET, socket.SOCK_RAW, 1),
    ("ask the kernel by netlink", socket.AF_NETLINK, socket.SOCK_RAW, 0),
    ("use vsock", 40, socket.SOCK_STREAM, 0),
    ("use the crypto sockets", 38, socket.SOCK_SEQPACKET, 0),
    ("use bluetooth", 31, socket.SOCK_STREAM, 3),
):
    refused(name, lambda: socket.socket(family, kind, number))

# %%
import os

for path in ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket",
             "/run/systemd/private", "/tmp/.X11-unix/X0", "/run/user/0/bus"):
    refused(path, connect(socket.AF_UNIX, socket.SOCK_STREAM, path))
for name in ("\0/tmp/.X11-unix/X0", "\0/tmp/dbus", "\0m5"):
    refused(repr(name), connect(socket.AF_UNIX, socket.SOCK_STREAM, name))
listeners = [line.split()[-1] for line in open("/proc/net/unix") if "@" in line.split()[-1]]
for name in listeners:
    refused(name, connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + name[1:]))
