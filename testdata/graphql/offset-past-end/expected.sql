select '{"genres": []}'::json
