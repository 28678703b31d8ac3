"""Wilson's 95 % interval of a share, which always holds the share itself."""

from statsmodels.stats.proportion import proportion_confint


def wilson(right: int, images: int) -> tuple[float, float]:
    """Of `right` of so many images; bounds of 0 and 1 come out a rounding error inside, and are put right."""
    low, high = proportion_confint(right, images, method="wilson")
    return max(0.0, min(float(low), right / images)), min(1.0, max(float(high), right / images))
