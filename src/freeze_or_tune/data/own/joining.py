"""Groups of one's own images: those that they came with, and those of near copies, as one."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from scipy.cluster.hierarchy import DisjointSet

from freeze_or_tune.data.layouts import Listing


def joined(listings: Sequence[Listing], alike: Iterable[Sequence[str]]) -> list[Listing]:
    """Listings in the groups that they have and those of `alike` images: what shares an image with another is one.

    A group is called by the first of its own names, or by its first image; whoever is alone belongs to none.
    """
    ties = DisjointSet([listing.image for listing in listings])
    first: dict[str, str] = {}
    for listing in listings:
        if listing.group:
            ties.merge(first.setdefault(listing.group, listing.image), listing.image)
    for images in alike:
        for image in images[1:]:
            ties.merge(images[0], image)
    names: dict[str, str] = {}
    given = {listing.image: listing.group for listing in listings}
    for tied in ties.subsets():
        own = sorted({given[image] for image in tied} - {""})
        name = own[0] if own else min(tied) if len(tied) > 1 else ""
        names |= dict.fromkeys(tied, name)
    return [replace(listing, group=names[listing.image]) for listing in listings]
