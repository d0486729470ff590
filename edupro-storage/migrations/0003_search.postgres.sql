-- Part of PostgreSQL's own additional modules; whoever owns a database may switch it on.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX courses_search_idx ON courses USING gin (search_text gin_trgm_ops);
