"""What was measured several times: the first round's values are the entry's own, those of later ones are in `further`."""


def values(entry, *path):
    """What lies at the path in each round that got so far."""
    found = []
    for value in (entry, *entry.get("further", ())):
        for key in path:
            value = None if value is None else value.get(key)
        if value is not None:
            found.append(value)
    return found
