"""A school's ordinary day: reads, log-ins, writes and uploads, at a bounded rate."""

import collections
import itertools
import random
import threading

from .client import Client
from .crowd import Crowd
from .files import pdf, png
from .school import School

TEACHERS = 6
STUDENTS = 26
COURSES = 30
# Of a hundred requests.
SHARES = {"read": 70, "session": 15, "write": 10, "upload": 5}
# The other requests for a session are refreshes: a log-in costs as much as fifty of them.
LOGINS = 0.2
DOCUMENT, PICTURE = 50_000, 300


class Day:
    """People of one school; each has a connection, and does the next thing when the last is done.

    `rate` is how many requests there are in a second at most, of all together. `expected` are the
    statuses that are no errors.
    """

    expected = (200, 201, 205)

    def __init__(self, server, rate):
        self.school = School(server)
        self.rate, self.lock = rate, threading.Lock()
        self.courses = [
            self.school.add_course(f"Course {number}", lessons=2) for number in range(COURSES)
        ]
        self.students = self.school.add_students(STUDENTS)
        self.exam, self.question = self.school.add_exam(
            self.courses[0], "Sound", is_timed=True, time_limit=60, max_attempts=1_000_000
        )
        self.coupons = collections.deque(self.school.add_coupons(100))
        self.enrolled = {student: [] for student in self.students}
        for student in self.students:
            self._enrol(student, student.client)

    def begin(self, seconds=None):
        """Everybody comes. What they do is a `Crowd`, whose kinds are those of `SHARES`."""
        works = [self._teacher(number) for number in range(TEACHERS)]
        works += [self._student(number, student) for number, student in enumerate(self.students)]
        return Crowd([("", work) for work in works], seconds, pause=len(works) / self.rate)

    def _work(self, seed, session, things):
        """One request of somebody, of a kind by chance."""
        chance = random.Random(seed)
        kinds, shares = list(SHARES), list(SHARES.values())

        def work():
            [kind] = chance.choices(kinds, shares)
            answer = session(chance) if kind == "session" else chance.choice(things[kind])(chance)
            answer.kind = answer.kind or kind
            # Nobody looks at it any more, and there are many.
            if answer.status in self.expected:
                answer.body = None
            return answer
        return work

    def _session(self, client, login_path, login, refresh_path):
        """Now and then somebody logs out and in again, and mostly gets new tokens."""
        is_out = False

        def session(chance):
            nonlocal is_out
            if is_out:
                answer = client.api("POST", login_path, login)
                is_out = answer.status != 200
                # Whatever else it was to be.
                answer.kind = "session"
                return answer
            if chance.random() < LOGINS / 2:
                is_out = True
                return client.api("POST", "/logout/")
            return client.api("POST", refresh_path)

        def first_logged_in(ask):
            return lambda chance: session(chance) if is_out else ask(chance)
        return session, first_logged_in

    def _teacher(self, number):
        teacher = self.school.teacher
        client = Client(teacher.client.port)
        client.must(200, "POST", "/teacher/login/", teacher.login)
        session, alone = self._session(client, "/teacher/login/", teacher.login, "/token/refresh/")
        course = self.courses[number]
        module, added, orders = course.modules[0], [], itertools.count(10)

        def get(path):
            return alone(lambda _: client.api("GET", path))

        def change_lessons(_):
            if added:
                return client.api("DELETE", f"/lessons/{added.pop()}/delete/")
            body = {"title": "More", "order": next(orders), "is_published": True}
            answer = client.api("POST", f"/modules/{module}/lessons/create/", body)
            if answer.status == 201:
                added.append(answer.body["id"])
            return answer

        def add_coupons(_):
            answer = client.api("POST", "/coupon/create/", {"number_of_coupons": 2, "price": 50})
            if answer.status == 201:
                self.coupons.extend((coupon["id"], coupon["code"]) for coupon in answer.body)
            return answer

        def change_course(chance):
            return client.api("PATCH", f"/course/update/{course.number}", {"description": f"Light {chance.random()}"})

        def upload(_):
            return client.send_form("PATCH", f"/lessons/{course.lessons[0]}/update/", {}, [("document", "a.pdf", "application/pdf", pdf(DOCUMENT))])

        return self._work(number, session, {
            "read": list(map(get, [
                "/course/list-by-teacher/", "/coupon/list/", "/teacher/get_students/", "/teacher/revenue/",
                f"/course/course-detail/{course.number}", f"/course/private-deatils/{course.number}",
                f"/modules/{module}/lessons/", f"/lessons/{course.lessons[1]}/", "/teacher/assessments/",
                f"/teacher/assessments/{self.exam}/attempts/", "/teacher/grading/pending/", "/coupon/used-coupons/",
            ])),
            "write": list(map(alone, [change_lessons, add_coupons, change_course])),
            "upload": [alone(upload)],
        })

    def _enrol(self, student, client):
        course, (_, code) = self.courses[len(self.enrolled[student])], self.coupons.popleft()
        answer = client.api("POST", "/course/course-enrollment/", {"course_id": course.number, "coupon_code": code})
        if answer.status == 201:
            self.enrolled[student].append(course)
        return answer

    def _student(self, number, student):
        client = Client(student.client.port, student.client.cookies)
        session, alone = self._session(client, "/student/login/mona/", student.login, "/student/refresh/mona/")
        attempts = []

        def get(path):
            return alone(lambda _: client.api("GET", path))

        def progress(chance):
            lesson = chance.choice(chance.choice(self.enrolled[student]).lessons)
            return client.api("PATCH", f"/lessons/{lesson}/status/", {"is_completed": chance.random() < 0.5})

        def enrol(chance):
            with self.lock:
                has_coupons = len(self.coupons) > STUDENTS
            if len(self.enrolled[student]) == len(self.courses) or not has_coupons:
                return progress(chance)
            return self._enrol(student, client)

        def take_exam(chance):
            if not attempts:
                answer = client.api("POST", f"/student/assessments/{self.exam}/mona/start/")
                if answer.status in (200, 201):
                    attempts.append(answer.body["attempt_id"])
                return answer
            option = chance.choice(self.question["options"])["id"]
            chosen = {"question_id": self.question["id"], "selected_option_id": option}
            return client.api("POST", f"/students/attempts/{attempts.pop()}/submit/", {"answers": [chosen]})

        def upload(_):
            picture = ("profile_picture", "me.png", "image/png", png(PICTURE, PICTURE))
            return client.send_form("PATCH", "/student/update-profile/", {}, [picture])

        course = self.courses[0]
        return self._work(1000 + number, session, {
            "read": list(map(get, [
                "/course/list/", "/course/teacher-list/mona", f"/course/course-detail/{self.courses[number].number}",
                "/student/student-profile/mona", "/course/course-enrollment-list/mona", "/my-courses/",
                f"/courses/{course.number}/modules/", f"/modules/{course.modules[0]}/lessons/", f"/lessons/{course.lessons[0]}/",
                "/student/assessments/mona/", "/student/mona/attempts/", "/course/course-search-filter/?search=course",
            ])),
            "write": list(map(alone, [progress, enrol, take_exam])),
            "upload": [alone(upload)],
        })
