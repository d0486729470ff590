"""A school as big as a country's: what is asked of it, and how it grows."""

import contextlib
import sqlite3

from performance import dataset
from support import big

STUDENTS, OWN_STUDENTS, LESSONS_EACH = 1_000_000, 50_000, 100
COURSES = {"postgres": 1_000_000, "sqlite": 200_000}
# Whose students most of them are.
TEACHER, OTHER = 1, 2
API = "/api/v1/"


def questions(bench, is_big):
    """What is asked before and after: lists, searches, one thing, and writes."""
    cookie = dataset.token(TEACHER, "teacher", TEACHER)
    student = dataset.token(dataset.STUDENTS_FROM + 1, "student", 1)
    courses = bench.sizes.courses + (COURSES[bench.given.engine] if is_big else 0)
    students = bench.sizes.students * 2 // bench.sizes.teachers + (OWN_STUDENTS if is_big else 0)
    visitor = {
        "course list": "course/list/",
        "course list, deep": f"course/list/?page={courses // 10}",
        "search, 25 hits": "course/course-search-filter/?search=python",
        "search, all but 475": "course/course-search-filter/?search=algebra",
        "search, ordered": "course/course-search-filter/?search=python&ordering=price",
        "course detail": f"course/course-detail/{dataset.id_of('course', 7)}",
    }
    teacher = {
        "students": "teacher/get_students/",
        "students, deep": f"teacher/get_students/?page={students // 10}",
        "students, one name": "teacher/get_students/?search=student000051",
    }
    found = {name: [("GET", API + path, "", "")] for name, path in visitor.items()}
    found |= {name: [("GET", API + path, cookie, "")] for name, path in teacher.items()}
    found["module with lessons"] = [("GET", f"{API}modules/{dataset.id_of('module', 1)}/", student, "")]
    return found


def grow(bench):
    def make(_):
        yield from big.statements(
            TEACHER, OTHER, dataset.STUDENTS_FROM + 1, STUDENTS, OWN_STUDENTS, COURSES[bench.given.engine], 0, [],
        )
        first, last = big.STUDENTS_FROM + 1, big.STUDENTS_FROM + OWN_STUDENTS
        yield f"""INSERT INTO lesson_progress (student_id, lesson_id, is_completed, updated_at, teacher_id)
            SELECT p.id, l.id, TRUE, moment(7), c.teacher_id FROM student_profiles p CROSS JOIN lessons l
            JOIN modules m ON m.id = l.module_id JOIN courses c ON c.id = m.course_id
            WHERE p.id BETWEEN {first} AND {last} AND c.number = (SELECT MIN(number) FROM courses)"""

    if bench.cluster:
        big.fill_postgres(bench.cluster, make, "edupro")
        bench.cluster.sql("VACUUM ANALYZE", database="edupro")
        return
    file = bench.server.data / "edupro.db"
    bench.server.stop()
    big.fill_sqlite(file, make)
    with contextlib.closing(sqlite3.connect(file)) as base:
        base.execute("ANALYZE")
        base.commit()
    bench.server.start()
    bench.contenders[0].pid = bench.server.process.pid
