-- How many rows the long lists have, kept by triggers: to count a million takes longer than to show
-- five. It is the same table as PostgreSQL's, where the parts keep writers apart.
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

CREATE TRIGGER courses_counted_insert AFTER INSERT ON courses WHEN NEW.is_published BEGIN
    INSERT INTO row_counts (list, part, count) VALUES ('published_courses', NEW.teacher_id % 16, 1)
    ON CONFLICT (list, part) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER courses_counted_delete AFTER DELETE ON courses WHEN OLD.is_published BEGIN
    UPDATE row_counts SET count = count - 1 WHERE list = 'published_courses' AND part = OLD.teacher_id % 16;
END;
CREATE TRIGGER courses_counted_update AFTER UPDATE OF is_published ON courses
WHEN OLD.is_published <> NEW.is_published BEGIN
    INSERT INTO row_counts (list, part, count) VALUES ('published_courses', NEW.teacher_id % 16, 1)
    ON CONFLICT (list, part) DO UPDATE SET count = count + CASE WHEN NEW.is_published THEN 1 ELSE -1 END;
END;

CREATE TRIGGER students_counted_insert AFTER INSERT ON teacher_students BEGIN
    INSERT INTO row_counts (list, part, count)
    VALUES (CASE WHEN NEW.is_active THEN 'active_students' ELSE 'blocked_students' END, NEW.teacher_id, 1)
    ON CONFLICT (list, part) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER students_counted_delete AFTER DELETE ON teacher_students BEGIN
    UPDATE row_counts SET count = count - 1
    WHERE list = CASE WHEN OLD.is_active THEN 'active_students' ELSE 'blocked_students' END AND part = OLD.teacher_id;
END;
CREATE TRIGGER students_counted_update AFTER UPDATE OF is_active ON teacher_students
WHEN OLD.is_active <> NEW.is_active BEGIN
    UPDATE row_counts SET count = count - 1
    WHERE list = CASE WHEN OLD.is_active THEN 'active_students' ELSE 'blocked_students' END AND part = OLD.teacher_id;
    INSERT INTO row_counts (list, part, count)
    VALUES (CASE WHEN NEW.is_active THEN 'active_students' ELSE 'blocked_students' END, NEW.teacher_id, 1)
    ON CONFLICT (list, part) DO UPDATE SET count = count + 1;
END;

-- A teacher's students are listed by name and searched without their profiles: what is needed of them
-- stands here too, and follows them.
ALTER TABLE teacher_students ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE teacher_students ADD COLUMN search_text TEXT NOT NULL DEFAULT '';
UPDATE teacher_students SET name_key = p.full_name_key, search_text = p.search_text
FROM student_profiles p WHERE p.id = teacher_students.student_id;
CREATE INDEX teacher_students_name_idx ON teacher_students (teacher_id, name_key, student_id);

CREATE TRIGGER relations_take_names AFTER INSERT ON teacher_students BEGIN
    UPDATE teacher_students SET name_key = p.full_name_key, search_text = p.search_text
    FROM student_profiles p WHERE p.id = NEW.student_id AND teacher_students.id = NEW.id;
END;
CREATE TRIGGER names_reach_relations AFTER UPDATE OF full_name_key, search_text ON student_profiles
WHEN OLD.full_name_key <> NEW.full_name_key OR OLD.search_text <> NEW.search_text BEGIN
    UPDATE teacher_students SET name_key = NEW.full_name_key, search_text = NEW.search_text
    WHERE student_id = NEW.id;
END;

-- What a student has learnt with a teacher is counted for each student of a page, so progress knows its
-- lesson's teacher.
ALTER TABLE lesson_progress ADD COLUMN teacher_id BIGINT;
UPDATE lesson_progress SET teacher_id = c.teacher_id
FROM lessons l JOIN modules m ON m.id = l.module_id JOIN courses c ON c.id = m.course_id
WHERE l.id = lesson_progress.lesson_id;
CREATE TRIGGER progress_takes_teacher AFTER INSERT ON lesson_progress WHEN NEW.teacher_id IS NULL BEGIN
    UPDATE lesson_progress SET teacher_id = (SELECT c.teacher_id FROM lessons l JOIN modules m ON m.id = l.module_id
                                             JOIN courses c ON c.id = m.course_id WHERE l.id = NEW.lesson_id)
    WHERE id = NEW.id;
END;
