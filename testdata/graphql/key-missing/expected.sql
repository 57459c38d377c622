select '{"album": null}'::json
