"""A school as big as a country's: rows by the million, written in SQL."""

import hashlib
import sqlite3
import uuid

# One text for both engines; uuid_of and moment are what differs. `n` numbers rows from 1.
ROWS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
STUDENTS_FROM = 10_000_000

POSTGRES_FUNCTIONS = """
    CREATE FUNCTION uuid_of(text) RETURNS uuid LANGUAGE sql IMMUTABLE AS 'SELECT md5($1)::uuid';
    CREATE FUNCTION moment(bigint) RETURNS timestamptz LANGUAGE sql STABLE AS
        'SELECT timestamptz ''2026-01-01 00:00:00+00'' + $1 * interval ''1 second''';
"""


def statements(teacher, other, model_student, students, own_students, courses, own_courses, attempts):
    """What makes the school big. `teacher` gets `own_students` of the students and `own_courses` of
    the courses, `other` has the rest. Whole rows of `attempts` (assessment, paper) are repeated for
    the teacher's own students."""
    first = STUDENTS_FROM
    yield f"""INSERT INTO users (id, email, username, username_key, first_name, last_name, phone, password_hash,
            user_type, is_staff, is_active, created_at, updated_at)
        {ROWS.format(count=students)}
        SELECT {first} + i, 'pupil' || i || '@example.com', 'pupil' || i, 'pupil' || i, 'Pupil', 'Number ' || i, '09' || i,
            (SELECT password_hash FROM users WHERE id = {model_student}), 'student', FALSE, TRUE, moment(i), moment(i)
        FROM n"""
    yield f"""INSERT INTO student_profiles (id, full_name, full_name_key, search_text, updated_at)
        {ROWS.format(count=students)}
        SELECT {first} + i, 'Pupil Number ' || i, 'pupil number ' || i,
            'pupil' || i || {NEWLINE} || 'pupil' || i || '@example.com' || {NEWLINE} || 'pupil number ' || i, moment(i)
        FROM n"""
    yield f"""INSERT INTO teacher_students (teacher_id, student_id, is_active, created_at)
        {ROWS.format(count=students)}
        SELECT CASE WHEN i <= {own_students} THEN {teacher} ELSE {other} END, {first} + i, TRUE, moment(i) FROM n"""
    yield f"""INSERT INTO courses (id, teacher_id, title, description, search_text, price, is_free, is_published,
            created_at, updated_at, total_enrollments, total_lessons, total_duration, total_reviews, average_rating, total_revenue)
        {ROWS.format(count=courses)}
        SELECT uuid_of('course ' || i), CASE WHEN i <= {own_courses} THEN {teacher} ELSE {other} END,
            'Algebra ' || i, CASE WHEN i % {courses // 25} = 0 THEN 'About zebras' ELSE 'About numbers' END,
            'algebra ' || i || {NEWLINE} || CASE WHEN i % {courses // 25} = 0 THEN 'about zebras' ELSE 'about numbers' END,
            5000, FALSE, TRUE, moment(i), moment(i), 0, 0, 0, 0, 0, 0
        FROM n"""
    for number, (assessment, paper) in enumerate(attempts):
        yield f"""INSERT INTO attempts (id, student_id, assessment_id, paper_id, attempt_number, status, started_at, ended_at,
                score, max_score, passing_grade, percentage, is_passed, auto_graded, graded_at)
            {ROWS.format(count=own_students)}
            SELECT uuid_of('attempt {number} ' || i), {first} + i, {assessment}, {paper}, 1, 'graded', moment(i), moment(i + 600),
                100, 100, 5000, 10000, TRUE, TRUE, moment(i + 600)
            FROM n"""


# A line's end, as both engines write it in a statement of one line.
NEWLINE = "'\n'"


def fill_sqlite(file, make):
    """Runs the statements; ids are their 16 bytes there."""
    database = sqlite3.connect(file)
    database.create_function("uuid_of", 1, lambda text: hashlib.md5(text.encode()).digest(), deterministic=True)
    database.create_function("moment", 1, moment, deterministic=True)
    for statement in make(lambda text: f"X'{uuid.UUID(text).hex}'"):
        database.execute(statement)
    database.commit()
    database.close()


def moment(seconds):
    days, rest = divmod(seconds, 86400)
    month_days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    month = 0
    while days >= month_days[month]:
        days, month = days - month_days[month], month + 1
    return f"2026-{month + 1:02}-{days + 1:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}+00:00"


def fill_postgres(cluster, make, database="postgres"):
    cluster.sql(POSTGRES_FUNCTIONS, database=database)
    for statement in make(lambda text: f"'{text}'::uuid"):
        cluster.sql(statement, database=database)
    cluster.sql("ANALYZE", database=database)
