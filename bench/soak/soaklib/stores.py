"""What lies in a store that the machines share."""


class Folder:
    """A directory that all of them mount. Objects are named as in the bucket."""

    def __init__(self, root):
        self.root = root

    def objects(self):
        """Name to size, of everything in it, what is only being written included."""
        found = {}
        for file in self.root.rglob("*"):
            try:
                if file.is_file():
                    found[file.relative_to(self.root).as_posix()] = file.stat().st_size
            except FileNotFoundError:  # it got its name, or was swept, meanwhile
                continue
        return found

    def uploads(self):
        return []

    def read_object(self, name):
        return (self.root / name).read_bytes()
