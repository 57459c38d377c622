select '{"genresConnection": {"__typename": "GenreConnection"}, "artist": {"albumsConnection": {"__typename": "AlbumConnection"}}}'::json
