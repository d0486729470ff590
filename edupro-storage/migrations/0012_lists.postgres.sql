-- How many rows the long lists have, kept by triggers: to count a million takes longer than to show
-- five. What is in one number is changed by one transaction at a time, so the courses are counted in
-- sixteen parts, by their teacher, and students for each teacher.
CREATE TABLE row_counts (
    list  TEXT   NOT NULL CHECK (list IN ('published_courses', 'active_students', 'blocked_students')),
    part  BIGINT NOT NULL,
    count BIGINT NOT NULL CHECK (count >= 0),
    PRIMARY KEY (list, part)
);
INSERT INTO row_counts (list, part, count)
SELECT 'published_courses', teacher_id % 16, COUNT(*) FROM courses WHERE is_published GROUP BY 2
UNION ALL
SELECT CASE WHEN is_active THEN 'active_students' ELSE 'blocked_students' END, teacher_id, COUNT(*)
FROM teacher_students GROUP BY 1, 2;

-- A statement counts what it adds or removes once, however many rows that are.
CREATE FUNCTION added_courses_are_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO row_counts AS r (list, part, count)
    SELECT 'published_courses', teacher_id % 16, COUNT(*) FROM added WHERE is_published GROUP BY 2 ORDER BY 2
    ON CONFLICT (list, part) DO UPDATE SET count = r.count + EXCLUDED.count;
    RETURN NULL;
END
$$;
CREATE TRIGGER courses_counted_insert AFTER INSERT ON courses REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION added_courses_are_counted();

CREATE FUNCTION removed_courses_are_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE row_counts r SET count = r.count - n.count
    FROM (SELECT teacher_id % 16 AS part, COUNT(*) AS count FROM removed WHERE is_published GROUP BY 1) n
    WHERE r.list = 'published_courses' AND r.part = n.part;
    RETURN NULL;
END
$$;
CREATE TRIGGER courses_counted_delete AFTER DELETE ON courses REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION removed_courses_are_counted();

CREATE FUNCTION courses_are_counted_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO row_counts AS r (list, part, count) VALUES ('published_courses', NEW.teacher_id % 16, 1)
    ON CONFLICT (list, part) DO UPDATE SET count = r.count + CASE WHEN NEW.is_published THEN 1 ELSE -1 END;
    RETURN NULL;
END
$$;
CREATE TRIGGER courses_counted_update AFTER UPDATE OF is_published ON courses
    FOR EACH ROW WHEN (OLD.is_published <> NEW.is_published) EXECUTE FUNCTION courses_are_counted_again();

CREATE FUNCTION added_students_are_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO row_counts AS r (list, part, count)
    SELECT CASE WHEN is_active THEN 'active_students' ELSE 'blocked_students' END, teacher_id, COUNT(*)
    FROM added GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (list, part) DO UPDATE SET count = r.count + EXCLUDED.count;
    RETURN NULL;
END
$$;
CREATE TRIGGER students_counted_insert AFTER INSERT ON teacher_students REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION added_students_are_counted();

CREATE FUNCTION removed_students_are_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE row_counts r SET count = r.count - n.count
    FROM (SELECT CASE WHEN is_active THEN 'active_students' ELSE 'blocked_students' END AS list,
                 teacher_id AS part, COUNT(*) AS count
          FROM removed GROUP BY 1, 2) n
    WHERE r.list = n.list AND r.part = n.part;
    RETURN NULL;
END
$$;
CREATE TRIGGER students_counted_delete AFTER DELETE ON teacher_students REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION removed_students_are_counted();

CREATE FUNCTION students_are_counted_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE row_counts SET count = count - 1
    WHERE list = CASE WHEN OLD.is_active THEN 'active_students' ELSE 'blocked_students' END AND part = OLD.teacher_id;
    INSERT INTO row_counts AS r (list, part, count)
    VALUES (CASE WHEN NEW.is_active THEN 'active_students' ELSE 'blocked_students' END, NEW.teacher_id, 1)
    ON CONFLICT (list, part) DO UPDATE SET count = r.count + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER students_counted_update AFTER UPDATE OF is_active ON teacher_students
    FOR EACH ROW WHEN (OLD.is_active <> NEW.is_active) EXECUTE FUNCTION students_are_counted_again();

-- A teacher's students are listed by name and searched without their profiles: what is needed of them
-- stands here too, and follows them.
ALTER TABLE teacher_students ADD COLUMN name_key TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE teacher_students ADD COLUMN search_text TEXT NOT NULL DEFAULT '';
UPDATE teacher_students SET name_key = p.full_name_key, search_text = p.search_text
FROM student_profiles p WHERE p.id = teacher_students.student_id;
CREATE INDEX teacher_students_name_idx ON teacher_students (teacher_id, name_key, student_id);

CREATE FUNCTION relations_take_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT p.full_name_key, p.search_text INTO STRICT NEW.name_key, NEW.search_text
    FROM student_profiles p WHERE p.id = NEW.student_id;
    RETURN NEW;
EXCEPTION
    -- Without a profile the foreign key refuses the row, with its own words.
    WHEN no_data_found THEN
        NEW.name_key = '';
        NEW.search_text = '';
        RETURN NEW;
END
$$;
CREATE TRIGGER relations_take_names BEFORE INSERT ON teacher_students
    FOR EACH ROW EXECUTE FUNCTION relations_take_names();

CREATE FUNCTION names_reach_relations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE teacher_students SET name_key = NEW.full_name_key, search_text = NEW.search_text
    WHERE student_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER names_reach_relations AFTER UPDATE OF full_name_key, search_text ON student_profiles
    FOR EACH ROW WHEN (OLD.full_name_key <> NEW.full_name_key OR OLD.search_text <> NEW.search_text)
    EXECUTE FUNCTION names_reach_relations();

-- What a student has learnt with a teacher is counted for each student of a page, so progress knows its
-- lesson's teacher.
ALTER TABLE lesson_progress ADD COLUMN teacher_id BIGINT;
UPDATE lesson_progress SET teacher_id = c.teacher_id
FROM lessons l JOIN modules m ON m.id = l.module_id JOIN courses c ON c.id = m.course_id
WHERE l.id = lesson_progress.lesson_id;
CREATE FUNCTION progress_takes_teacher() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.teacher_id = (SELECT c.teacher_id FROM lessons l JOIN modules m ON m.id = l.module_id
                      JOIN courses c ON c.id = m.course_id WHERE l.id = NEW.lesson_id);
    RETURN NEW;
END
$$;
CREATE TRIGGER progress_takes_teacher BEFORE INSERT ON lesson_progress
    FOR EACH ROW WHEN (NEW.teacher_id IS NULL) EXECUTE FUNCTION progress_takes_teacher();
