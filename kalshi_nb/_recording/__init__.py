"""Recordings on a disk: lines, segments of them, who writes them and who reads them."""
