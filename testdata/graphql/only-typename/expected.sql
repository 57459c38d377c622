select '{"genres": [{"__typename": "Genre"}, {"__typename": "Genre"}]}'::json
