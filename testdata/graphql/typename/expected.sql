select '{"__typename": "Query", "albums": [{"__typename": "Album", "artist": {"__typename": "Artist", "name": "AC/DC"}, "tracks": [{"__typename": "Track", "genre": {"kind": "Genre"}}]}]}'::json
