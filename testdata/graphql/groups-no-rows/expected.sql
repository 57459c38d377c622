select '{"tracksGroupBy": [], "artist": {"albumsGroupBy": []}}'::json
