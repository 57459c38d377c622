select '{"tracksAggregate": {"__typename": "TrackAggregate"}, "genres": [{"tracksAggregate": {"__typename": "TrackAggregate"}}, {"tracksAggregate": {"__typename": "TrackAggregate"}}]}'::json
