"""TLS on the sender's side: a certificate made at run time, and a socket that two threads may use."""

import datetime as dt
import io
import ipaddress
import os
import select
import ssl
import threading
from pathlib import Path

CERTIFICATE = "certificate.pem"
"""In a folder of frames: key and certificate of the exchange that sends them."""


def make_certificate(path):
    """Write a new key and a certificate of 127.0.0.1, signed with that key, to `path`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    Path(path).write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))


def encrypted(folder):
    """Return a folder of the same frames that are sent over TLS."""
    place = folder.with_name(f"{folder.name}-tls")
    if not (place / CERTIFICATE).exists():
        place.mkdir(exist_ok=True)
        for each in folder.iterdir():
            os.link(each, place / each.name)
        make_certificate(place / CERTIFICATE)
    return place


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class Encrypted:
    """What the sender needs of a socket, over TLS: one thread reads while another writes.

    OpenSSL's connections are not made for two threads at a time, so each step holds a lock, and no step waits in it
    but for the other end to read.
    """

    def __init__(self, connection, context):
        self.tls = context.wrap_socket(connection, server_side=True)
        self.tls.setblocking(False)
        self.using = threading.Lock()

    def recv(self, size):
        while True:
            with self.using:
                try:
                    return self.tls.recv(size)
                except ssl.SSLWantReadError:
                    pass
            select.select([self.tls], [], [])

    def sendall(self, data):
        view = memoryview(data)
        while view:
            with self.using:
                try:
                    view = view[self.tls.send(view) :]
                    continue
                except ssl.SSLWantWriteError:
                    pass
            select.select([], [self.tls], [])

    def makefile(self, _mode):
        return io.BufferedReader(_Reading(self))

    def close(self):
        self.tls.close()


class _Reading(io.RawIOBase):
    def __init__(self, connection):
        self.connection = connection

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self.connection.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)
