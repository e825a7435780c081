"""What views are told, a feed for each kind of facts; `views/feed.py` says what a feed is."""
