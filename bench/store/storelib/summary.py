"""From what was measured to what is claimed. The best of the rounds counts for every side alike: what a busy machine adds is not
the side's."""

SIDES = ("gpusnap", "restic", "borg", "rclone")


def best(rounds, side, what, key="seconds"):
    return min(one[side][what][key] for one in rounds)


def rounded(values):
    return {key: None if value is None else round(value, 3) for key, value in values.items()}


def summarize(values):
    rounds, size = values["rounds"], values["imageBytes"]
    drive_write = max(one["writeBytesPerSecond"] for one in values["floors"])
    # What was read back from the drive within a save was read from it as well: a floor is not above that.
    proof = min(one["gpusnap"][what]["proofSeconds"] for one in rounds for what in ("save", "second"))
    drive_read = max(*(one["readBytesPerSecond"] for one in values["floors"]), size / proof)
    # Until 2026-11-30 this was fio's bytes by the sum of its jobs' times, under another key, and too slow by their number.
    memory_write = max((one["memoryBytesPerSecond"] for one in values["floors"] if "memoryBytesPerSecond" in one), default=None)
    pages = None if memory_write is None else size / memory_write
    stored = best(rounds, "gpusnap", "save", "storeSeconds")
    saved = best(rounds, "gpusnap", "save")
    restored = best(rounds, "gpusnap", "restore")
    floor = {
        # Reading the image is reading memory, which takes nothing beside this.
        "storeSeconds": size / drive_write,
        "saveSeconds": size / drive_write + size / drive_read,
        "restoreSeconds": max(size / drive_read, pages or 0),
    }
    # All cores hash, or write pages: where they are few, this and not the drive is what cannot be beaten.
    digest = size / values["ceilings"]["digestBytesPerSecond"]
    processor = {"storeSeconds": digest, "saveSeconds": 2 * digest, "restoreSeconds": None if pages is None else digest + pages}
    return {
        "processor": rounded(processor),
        "floor": rounded(floor),
        "storeOfFloor": round(floor["storeSeconds"] / stored, 3),
        "saveOfFloor": round(floor["saveSeconds"] / saved, 3),
        "restoreOfFloor": round(floor["restoreSeconds"] / restored, 3),
        "times": {
            peer: {
                "store": round(best(rounds, peer, "save") / stored, 2),
                "save": round(best(rounds, peer, "save") / saved, 2),
                "second": round(best(rounds, peer, "second") / best(rounds, "gpusnap", "second"), 2),
                "restore": round(best(rounds, peer, "restore") / restored, 2),
                "saveAndProof": round((best(rounds, peer, "save") + rounds[0][peer]["proof"]["seconds"]) / saved, 2),
            }
            for peer in SIDES[1:]
        },
        "secondStoredRatio": {side: round(max(one[side]["second"]["storedBytes"] for one in rounds) / size, 4) for side in SIDES},
    }


def quarters(peaks):
    """The peak of each quarter of the rounds. The first one has what is taken once; from the second on nothing grows."""
    if len(peaks) < 4:
        return None
    bounds = [number * len(peaks) // 4 for number in range(5)]
    highest = [max(peaks[begin:end]) for begin, end in zip(bounds, bounds[1:])]
    return {"peakBytes": highest, "lastOverSecond": round(highest[3] / highest[1], 4)}


def summarize_s3(values):
    """Of the best rounds; rates are those of the image, whatever else crossed the wire. rclone's download is durable and not read
    back: as far as that ours is `withoutProof`, by parts; `timesRclone` counts ours to its end, and rclone's to its own."""
    size = values["imageBytes"]
    servers = {}
    for name, server in values["servers"].items():
        seconds = {(side, what): best(server["rounds"], side, what) for side in ("gpusnap", "rclone") for what in ("push", "pull")}
        servers[name] = {
            what: {
                "gpusnapBytesPerSecond": round(size / seconds["gpusnap", what]),
                "rcloneBytesPerSecond": round(size / seconds["rclone", what]),
                "timesRclone": round(seconds["rclone", what] / seconds["gpusnap", what], 2),
            }
            for what in ("push", "pull")
        }
        if all("gpusnapByParts" in one for one in server["rounds"]):
            parts = min((one["gpusnapByParts"] for one in server["rounds"]), key=lambda it: it["bringSeconds"] + it["syncSeconds"])
            without = parts["bringSeconds"] + parts["syncSeconds"]
            servers[name]["pull"] |= {
                "withoutProofBytesPerSecond": round(size / without),
                "withoutProofTimesRclone": round(seconds["rclone", "pull"] / without, 2),
                "parts": parts,
            }
    return {"servers": servers, "peakBytes": max(values["moved"]["peakBytes"])}
