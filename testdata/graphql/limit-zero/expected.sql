select '{"artists": []}'::json
