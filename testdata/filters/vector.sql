-- What pgvector brings, as far as filters and orders see it, for servers that have not got it.
create schema extensions;
create type extensions.vector;
create function extensions.vector_in(cstring) returns extensions.vector language internal immutable strict as 'textin';
create function extensions.vector_out(extensions.vector) returns cstring language internal immutable strict as 'textout';
create type extensions.vector (input = extensions.vector_in, output = extensions.vector_out, like = text);
create function extensions.numbers(v extensions.vector) returns float8[] language sql immutable strict as
  $$ select string_to_array(trim(both '[]' from v::text), ',')::float8[] $$;
create function extensions.l2(extensions.vector, extensions.vector) returns float8 language sql immutable strict as
  $$ select sqrt(sum((a - b) ^ 2)) from unnest(extensions.numbers($1), extensions.numbers($2)) as u(a, b) $$;
create function extensions.cosine(extensions.vector, extensions.vector) returns float8 language sql immutable strict as
  $$ select 1 - sum(a * b) / sqrt(sum(a * a) * sum(b * b)) from unnest(extensions.numbers($1), extensions.numbers($2)) as u(a, b) $$;
create function extensions.inner_product(extensions.vector, extensions.vector) returns float8 language sql immutable strict as
  $$ select -sum(a * b) from unnest(extensions.numbers($1), extensions.numbers($2)) as u(a, b) $$;
create function extensions.l1(extensions.vector, extensions.vector) returns float8 language sql immutable strict as
  $$ select sum(abs(a - b)) from unnest(extensions.numbers($1), extensions.numbers($2)) as u(a, b) $$;
create operator extensions.<-> (leftarg = extensions.vector, rightarg = extensions.vector, function = extensions.l2);
create operator extensions.<=> (leftarg = extensions.vector, rightarg = extensions.vector, function = extensions.cosine);
create operator extensions.<#> (leftarg = extensions.vector, rightarg = extensions.vector, function = extensions.inner_product);
create operator extensions.<+> (leftarg = extensions.vector, rightarg = extensions.vector, function = extensions.l1);
