"""Places elsewhere for recordings and exports: a store in memory, and one that speaks S3, on the loopback."""

import os
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import fsspec

SIGNATURE = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}
"""What a client of S3 signs with, so that it looks nowhere else for it."""


@dataclass
class Place:
    """A folder elsewhere.

    Attributes
    ----------
    address : str
        Where.
    options : dict
        What fsspec needs to get there.
    """

    address: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def system(self):
        return fsspec.core.url_to_fs(self.address, **self.options)[0]

    def files(self):
        """Return the bytes of all files that are there, by their path below the place."""
        system, root = fsspec.core.url_to_fs(self.address, **self.options)
        system.invalidate_cache()
        return {each.removeprefix(f"{root}/"): system.cat_file(each) for each in system.find(root)}


@contextmanager
def in_memory():
    place = Place(f"memory://{uuid.uuid4().hex}")
    yield place
    system, root = fsspec.core.url_to_fs(place.address)
    if system.exists(root):
        system.rm(root, recursive=True)


@contextmanager
def s3_server():
    """Give the address of a server that speaks S3, in this process."""
    from moto.server import ThreadedMotoServer

    before = {name: os.environ.get(name) for name in SIGNATURE}
    os.environ.update(SIGNATURE)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def in_s3(server):
    place = Place(f"s3://{uuid.uuid4().hex}", {"endpoint_url": server, "skip_instance_cache": True})
    place.system.mkdir(place.address)
    yield place
