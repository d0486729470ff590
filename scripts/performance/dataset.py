"""The data that every server of a benchmark has: the same rows on each run, and the same ids.

Ids are made of a word and a number, so requests can name them without asking a database. The sizes
are those of a middle-sized school; `Sizes` says what can be changed.
"""

import base64
import datetime
import hashlib
import hmac
import json
import sqlite3
import subprocess
import time
import uuid
from dataclasses import dataclass

SECRET = "a benchmark's secret, which is no secret at all"
PASSWORD = "Passw0rd!x"
STUDENTS_FROM = 100_000
TOPICS = (
    "Python", "Algebra", "Physics", "Chemistry", "Biology", "History", "Geography", "English", "French", "German",
    "Music", "Drawing", "Statistics", "Economics", "Databases", "Networks", "Security", "Robotics", "Writing", "Logic",
)
WORDS = (
    "learn", "build", "design", "practice", "theory", "method", "result", "project", "lesson", "review", "student",
    "teacher", "system", "module", "question", "answer", "concept", "example", "exercise", "summary",
)
EPOCH = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


@dataclass(frozen=True)
class Sizes:
    teachers: int = 50
    students: int = 5_000
    courses: int = 500
    # So many of the courses have modules and lessons.
    full: int = 100
    modules: int = 10
    lessons: int = 10
    coupons: int = 10_000
    assessments: int = 50
    questions: int = 10


def id_of(kind, number):
    """A UUID of version 4 that is always the same."""
    digest = hashlib.md5(f"{kind}:{number}".encode()).hexdigest()
    return uuid.UUID(digest[:12] + "4" + digest[13:16] + "8" + digest[17:])


def text(number, words):
    return " ".join(WORDS[(number * 31 + i * i * 7 + i) % 20] for i in range(1, words + 1))


def first_teacher(student, sizes):
    return (student - 1) % sizes.teachers + 1


def second_teacher(student, sizes):
    return (student * 7 + 2) % sizes.teachers + 1


def courses_of(student, sizes):
    """The courses that a student has from the start."""
    first, second, step = first_teacher(student, sizes), second_teacher(student, sizes), sizes.teachers
    return (first, first + 2 * step, first + 3 * step, second + 4 * step)


def teacher_name(number):
    return f"teacher{number:04}"


def token(user, kind, number):
    """An access token of the session that `rows` gives each user."""
    def derived(label):
        return hmac.new(SECRET.encode(), label, hashlib.sha256).digest()

    now = int(time.time())
    header = {"typ": "JWT", "alg": "HS256", "kid": hashlib.sha256(derived(b"edupro key id v1")).hexdigest()[:8]}
    claims = {
        "iss": "edupro", "aud": "edupro", "sub": str(user), "sid": str(id_of(f"{kind}-session", number)), "typ": "access",
        "iat": now, "exp": now + 48 * 3600, "jti": str(id_of(f"{kind}-token", number)), "gen": 0,
    }
    parts = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims))
    tag = hmac.new(derived(b"edupro tokens v1"), parts, hashlib.sha256).digest()
    return f"access_token={(parts + b'.' + base64.urlsafe_b64encode(tag).rstrip(b'=')).decode()}"


def rows(sizes, password_hash):
    """Each table with its columns and rows, in an order that foreign keys allow."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    later = now + datetime.timedelta(days=400)
    february, january = EPOCH.replace(month=2), EPOCH
    teachers, students = range(1, sizes.teachers + 1), range(1, sizes.students + 1)
    courses, full = range(1, sizes.courses + 1), range(1, sizes.full + 1)

    yield "users", (
        "id", "email", "username", "username_key", "slug", "first_name", "last_name", "phone", "parent_phone", "password_hash",
        "user_type", "is_staff", "is_active", "created_at", "updated_at",
    ), [
        (n, f"{teacher_name(n)}@example.com", teacher_name(n), teacher_name(n), teacher_name(n), f"Teach{n}", f"Er{n}",
         f"010{n:08}", None, password_hash, "teacher", False, True, january, january) for n in teachers
    ] + [
        (STUDENTS_FROM + n, f"student{n:06}@example.com", f"student{n:06}", f"student{n:06}", f"student{n:06}", f"Stu{n * 7919 % 5000}",
         f"Dent{n}", f"011{n:08}", f"012{n:08}", password_hash, "student", False, True, january, january) for n in students
    ]
    yield "sessions", ("id", "user_id", "generation", "created_at", "rotated_at", "expires_at"), [
        (id_of("teacher-session", n), n, 0, now, now, later) for n in teachers
    ] + [(id_of("student-session", n), STUDENTS_FROM + n, 0, now, now, later) for n in students]
    yield "teacher_profiles", ("id", "full_name", "full_name_key", "rating", "created_at", "updated_at"), [
        (n, f"Teach{n} Er{n}", f"teach{n} er{n}", 300, january, january) for n in teachers
    ]
    yield "student_profiles", ("id", "full_name", "full_name_key", "search_text", "country", "city", "updated_at"), [
        (STUDENTS_FROM + n, name, name.lower(), f"student{n:06}\nstudent{n:06}@example.com\n{name.lower()}", "Egypt", "Cairo", january)
        for n in students for name in [f"Stu{n * 7919 % 5000} Dent{n}"]
    ]
    yield "teacher_students", ("teacher_id", "student_id", "is_active", "created_at"), [
        (teacher, STUDENTS_FROM + n, True, february)
        for n in students for teacher in sorted({first_teacher(n, sizes), second_teacher(n, sizes)})
    ]
    yield "categories", ("id", "name", "name_key"), [(n, f"Category {n}", f"category {n}") for n in range(1, 11)]

    taken = [(n, course) for n in students for course in courses_of(n, sizes)]
    ratings = {}
    for number, (_, course) in enumerate(taken, 1):
        ratings.setdefault(course, []).append(1 + number * 7 % 5)
    of_module = [300 + lesson * 11 for lesson in range(1, sizes.lessons + 1)]
    yield "courses", (
        "id", "teacher_id", "category_id", "title", "description", "search_text", "trailer", "price", "is_free", "is_published",
        "created_at", "updated_at", "total_enrollments", "total_lessons", "total_duration", "total_reviews", "average_rating", "total_revenue",
    ), [
        (id_of("course", n), (n - 1) % sizes.teachers + 1, n % 10 + 1, title, description, f"{title}\n{description}".lower(),
         f"https://video.example.com/{n}", 10_000, False, True, made, made, len(given),
         sizes.modules * sizes.lessons if n <= sizes.full else 0, sizes.modules * sum(of_module) if n <= sizes.full else 0,
         len(given), (100 * sum(given) + len(given) // 2) // len(given) if given else 0, 10_000 * len(given))
        for n in courses
        for title, description, given in [(f"{TOPICS[n % 20]} course number {n}", text(n, 40), ratings.get(n, []))]
        for made in [EPOCH + n * datetime.timedelta(minutes=37)]
    ]
    modules = [((course - 1) * sizes.modules + order, course, order) for course in full for order in range(1, sizes.modules + 1)]
    yield "modules", (
        "id", "course_id", "title", "description", "position", "price", "is_free", "is_published", "created_at", "total_lessons", "total_duration",
    ), [
        (id_of("module", n), id_of("course", course), f"Module {order} of course {course}", f"Module {order} of course {course}", order, 2_000,
         False, True, EPOCH.replace(day=2), sizes.lessons, sum(of_module)) for n, course, order in modules
    ]
    lessons = [((n - 1) * sizes.lessons + order, n, of, course, order) for n, course, of in modules for order in range(1, sizes.lessons + 1)]
    yield "lessons", (
        "id", "module_id", "title", "description", "position", "is_published", "is_free", "duration", "created_at",
    ), [
        (id_of("lesson", n), id_of("module", module), f"Lesson {order} in module {of}", text(module * 100 + order, 15), order, True, False,
         300 + order * 11, EPOCH.replace(day=3)) for n, module, of, course, order in lessons
    ]
    yield "course_enrollments", (
        "student_id", "course_id", "enrolled_at", "ends_at", "status", "access_type", "is_completed", "is_active", "progress",
    ), [
        (STUDENTS_FROM + student, id_of("course", course), february + student * datetime.timedelta(minutes=1), later, "active",
         "full_access", False, True, 0) for student, course in taken
    ]
    lessons_of = {}
    for n, _, _, course, _ in lessons:
        lessons_of.setdefault(course, []).append(id_of("lesson", n))
    yield "lesson_progress", ("student_id", "lesson_id", "is_completed", "updated_at", "teacher_id"), (
        (STUDENTS_FROM + student, lesson, False, february, (course - 1) % sizes.teachers + 1) for student, course in taken for lesson in lessons_of.get(course, ())
    )
    yield "ratings", ("uuid", "course_id", "student_id", "rating", "comment", "created_at", "updated_at"), [
        (id_of("rating", n), id_of("course", course), STUDENTS_FROM + student, 1 + n * 7 % 5, text(n, 8), february, february)
        for n, (student, course) in enumerate(taken, 1)
    ]
    yield "coupons", (
        "teacher_id", "code", "status", "max_uses", "used_count", "expires_at", "price", "is_active", "created_at",
    ), [
        (first_teacher(student, sizes), coupon_code(n), "full_accessed", 1, 0, later, 10_000, True, EPOCH.replace(month=3))
        for n in range(1, sizes.coupons + 1) for student in [(n - 1) % sizes.students + 1]
    ]
    exams = range(1, sizes.assessments + 1)
    yield "assessments", (
        "id", "teacher_id", "title", "description", "assessment_type", "course_id", "is_published", "max_attempts", "passing_grade",
        "available_from", "total_questions", "total_points", "revision", "created_at", "updated_at",
    ), [
        (id_of("assessment", n), (n - 1) % sizes.teachers + 1, f"Exam {n}", f"Exam {n}", "course_exam", id_of("course", n), True, 1_000, 6_000,
         january, sizes.questions, 100 * sizes.questions, 1, EPOCH.replace(day=4), EPOCH.replace(day=4)) for n in exams
    ]
    questions = [((exam - 1) * sizes.questions + order, exam, order) for exam in exams for order in range(1, sizes.questions + 1)]
    yield "questions", ("id", "assessment_id", "question_text", "question_type", "points", "position", "explanation", "version"), [
        (id_of("question", n), id_of("assessment", exam), text(exam * 10 + order, 12), kind_of(order), 100, order, "because", 1)
        for n, exam, order in questions
    ]
    yield "question_options", ("id", "question_id", "option_text", "is_correct", "position"), [
        (id_of("option", n * 10 + option), id_of("question", n), f"Option {option}", option == 1 + n % 2, option)
        for n, _, order in questions for option in range(1, options_of(order) + 1)
    ]


def coupon_code(number):
    return f"CPN{number:09}"


def kind_of(order):
    return "true_false" if order > 8 else "multiple_choice"


def options_of(order):
    return 2 if order > 8 else 4


def load_postgres(psql, sizes, password_hash):
    """Copies the rows in; `psql` is the command line of a connection to a new database."""
    for table, columns, lines in rows(sizes, password_hash):
        command = [*psql, "--quiet", "--set=ON_ERROR_STOP=1", "--command", f"COPY {table} ({', '.join(columns)}) FROM STDIN"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as copy:
            copy.stdin.writelines("\t".join(map(copied, line)) + "\n" for line in lines)
        if copy.returncode:
            raise RuntimeError(f"the rows of {table} could not be copied")
    for table in ("users", "categories"):
        statement = f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
        subprocess.run([*psql, "--quiet", "--command", statement], stdout=subprocess.DEVNULL, check=True)
    subprocess.run([*psql, "--quiet", "--command", "VACUUM ANALYZE"], check=True)


def copied(value):
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).replace("\\", r"\\").replace("\n", r"\n")


def load_sqlite(file, sizes, password_hash):
    database = sqlite3.connect(file)
    for table, columns, lines in rows(sizes, password_hash):
        marks = ", ".join("?" for _ in columns)
        database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", (tuple(map(bound, line)) for line in lines))
    database.commit()
    database.execute("ANALYZE")
    database.close()


def bound(value):
    if isinstance(value, uuid.UUID):
        return value.bytes
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return value


def requests(sizes, chance, cookie=None):
    """The requests of each key: lines of method, path, cookie and body. `chance` is a random.Random;
    `cookie` makes the cookie of a "teacher" or a "student" with a number, where it is not ours."""
    cookie = cookie or (lambda kind, number: token(user_of(kind, number), kind, number))
    api = "/api/v1/"
    teachers = {n: cookie("teacher", n) for n in range(1, sizes.teachers + 1)}
    students = {n: cookie("student", n) for n in range(1, sizes.students + 1)}
    lines = {
        "a": [("GET", f"{api}course/list/", "", "")],
        "b": [("GET", f"{api}course/course-search-filter/?search={word.lower()}&ordering=-created_at", "", "") for word in TOPICS],
        "c": [("GET", f"{api}course/course-detail/{id_of('course', n)}", "", "") for n in range(1, sizes.courses + 1)],
        "d": [], "e": [],
        "f": [("GET", f"{api}teacher/get_students/", own, "") for own in teachers.values()],
        "g": [("POST", f"{api}teacher/login/", "", json.dumps({"email": f"{teacher_name(n)}@example.com", "password": PASSWORD})) for n in teachers],
        "h": [], "start": [],
    }
    for _ in range(2_000):
        student = chance.randint(1, sizes.students)
        module = id_of("module", (first_teacher(student, sizes) - 1) * sizes.modules + chance.randint(1, sizes.modules))
        lines["d"].append(("GET", f"{api}modules/{module}/", students[student], ""))
        lines["e"].append(("GET", f"{api}modules/{module}/lessons/", students[student], ""))
    for student, own in students.items():
        teacher = first_teacher(student, sizes)
        wish = {"course_id": str(id_of("course", teacher + sizes.teachers)), "coupon_code": coupon_code(student)}
        lines["h"].append(("POST", f"{api}course/course-enrollment/", own, json.dumps(wish)))
        path = f"{api}student/assessments/{id_of('assessment', teacher)}/{teacher_name(teacher)}/start/"
        lines["start"].append(("POST", path, own, "{}"))
    for some in lines.values():
        chance.shuffle(some)
    return lines


def user_of(kind, number):
    return number if kind == "teacher" else STUDENTS_FROM + number


def submissions(sizes, attempts, chance):
    """The requests that hand attempts in: `attempts` has the number of the student and the attempt's id."""
    lines = []
    for student, attempt in attempts:
        exam, answers = first_teacher(student, sizes), []
        for order in range(1, sizes.questions + 1):
            question = (exam - 1) * sizes.questions + order
            option = chance.randint(1, options_of(order))
            answers.append({"question_id": str(id_of("question", question)), "selected_option": str(id_of("option", question * 10 + option))})
        cookie = token(STUDENTS_FROM + student, "student", student)
        lines.append(("PUT", f"/api/v1/students/attempts/{attempt}/submit/", cookie, json.dumps({"answers": answers})))
    chance.shuffle(lines)
    return lines
