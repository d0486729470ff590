-- An index of trigrams over courses.search_text, kept up to date by triggers.
CREATE VIRTUAL TABLE courses_search
    USING fts5(search_text, content = 'courses', content_rowid = 'number', tokenize = 'trigram');

CREATE TRIGGER courses_search_insert AFTER INSERT ON courses BEGIN
    INSERT INTO courses_search (rowid, search_text) VALUES (new.number, new.search_text);
END;

CREATE TRIGGER courses_search_delete AFTER DELETE ON courses BEGIN
    INSERT INTO courses_search (courses_search, rowid, search_text)
    VALUES ('delete', old.number, old.search_text);
END;

CREATE TRIGGER courses_search_update AFTER UPDATE OF search_text ON courses BEGIN
    INSERT INTO courses_search (courses_search, rowid, search_text)
    VALUES ('delete', old.number, old.search_text);
    INSERT INTO courses_search (rowid, search_text) VALUES (new.number, new.search_text);
END;
