"""A straight line through measured points."""


def line(points):
    """Least squares of seconds over bytes: what each further byte takes, what none takes, and how far the points lie off."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    start = mean_y - slope * mean_x
    return {
        "bytesPerSecond": 1 / slope if slope > 0 else None,
        "startSeconds": start,
        "largestResidualSeconds": max(abs(y - start - slope * x) for x, y in points),
        "points": count,
    }
