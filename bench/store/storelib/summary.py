"""From what was measured to what is claimed. Of a store the mean of all rounds counts, between sides and against the floor: a rented
drive has twice its speed for a second, and who is measured most often would see that. Between sides at a bucket, where no drive is
waited for, it is the best of the rounds for each alike: what a busy machine adds is not the side's."""

from statistics import harmonic_mean, mean

SIDES = ("gpusnap", "restic", "borg", "rclone")
MEANS = (("storeSeconds", "save", "storeSeconds"), ("saveSeconds", "save", "seconds"), ("restoreSeconds", "restore", "seconds"))


def best(rounds, side, what, key="seconds"):
    return min(one[side][what][key] for one in rounds)


def average(rounds, side, what):
    return mean(one[side][what]["seconds"] for one in rounds)


def rounded(values):
    return {key: round(value, 3) for key, value in values.items()}


def drive_speed(floors, verb):
    """Bytes per second of the depth that was fastest over all times that it was measured."""
    return max(harmonic_mean([one["depths"][depth][verb] for one in floors]) for depth in floors[0]["depths"])


def means_of(ours):
    return {key: mean(one[what][part] for one in ours) for key, what, part in MEANS}


def times(rounds, means):
    """How often as fast as each of the others gpusnap was: mean against mean."""
    return {
        peer: {
            "store": round(average(rounds, peer, "save") / means["storeSeconds"], 2),
            "save": round(average(rounds, peer, "save") / means["saveSeconds"], 2),
            "second": round(average(rounds, peer, "second") / average(rounds, "gpusnap", "second"), 2),
            "restore": round(average(rounds, peer, "restore") / means["restoreSeconds"], 2),
            "saveAndProof": round((average(rounds, peer, "save") + rounds[0][peer]["proof"]["seconds"]) / means["saveSeconds"], 2),
        }
        for peer in SIDES[1:]
    }


def summarize(values):
    rounds, size = values["rounds"], values["imageBytes"]
    ours = [*(one["gpusnap"] for one in rounds), *values.get("ownRounds", [])]
    drive_write = drive_speed(values["floors"], "write")
    # What was read back from the drive within a save was read from it as well: a floor is not above that.
    drive_read = max(drive_speed(values["floors"], "read"), size / mean(one["save"]["proofSeconds"] for one in ours))
    pages = size / harmonic_mean([one["memoryBytesPerSecond"] for one in values["floors"]])
    floor = {
        # Reading the image is reading memory, which takes nothing beside this.
        "storeSeconds": size / drive_write,
        "saveSeconds": size / drive_write + size / drive_read,
        "restoreSeconds": max(size / drive_read, pages),
    }
    # All cores hash, or write pages: where they are few, this and not the drive is what cannot be beaten.
    digest = size / values["ceilings"]["digestBytesPerSecond"]
    processor = {"storeSeconds": digest, "saveSeconds": 2 * digest, "restoreSeconds": digest + pages}
    means = means_of(ours)
    return {
        "processor": rounded(processor),
        "floor": rounded(floor),
        "means": rounded(means) | {"rounds": len(ours)},
        "storeOfFloor": round(floor["storeSeconds"] / means["storeSeconds"], 3),
        "saveOfFloor": round(floor["saveSeconds"] / means["saveSeconds"], 3),
        "restoreOfFloor": round(floor["restoreSeconds"] / means["restoreSeconds"], 3),
        "times": times(rounds, means),
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
