"""People and courses for a test."""

from dataclasses import dataclass

from .client import Client

PASSWORD = "palm-tree-42"


@dataclass(eq=False)
class Person:
    client: Client
    number: int
    login: dict


@dataclass(eq=False)
class Course:
    number: int
    title: str
    lessons: list
    modules: list


class School:
    """A server's teacher, who is called mona, and whom and what a test adds."""

    def __init__(self, server):
        self.server = server
        self.guest = Client(server.port)
        self.people = 0
        self.teacher = self.add_teacher("mona")

    def add_teacher(self, name):
        return self._add("/teacher/teacher-register/", "/teacher/login/", name)

    def add_student(self, name, teacher="mona"):
        return self._add(f"/student/student-register/{teacher}", f"/student/login/{teacher}/", name)

    def _add(self, register, login_path, name):
        self.people += 1
        login = {"email": f"{name}@example.com", "password": PASSWORD}
        answer = self.guest.must(201, "POST", register, {
            "first_name": name, "last_name": "Farid", "username": name, "email": login["email"],
            "phone": f"01{self.people:08}", "parent_phone": "0200", "password1": PASSWORD, "password2": PASSWORD,
        })
        client = Client(self.server.port)
        client.must(200, "POST", login_path, login)
        return Person(client, answer["user"]["id"], login)

    def add_students(self, count, teacher="mona"):
        return [self.add_student(f"student{number}", teacher) for number in range(count)]

    def add_course(self, title, price=50, modules=1, lessons=1, teacher=None):
        """A published course, all of whose lessons are published."""
        client = (teacher or self.teacher).client
        course = client.must(201, "POST", "/course/create/", {
            "title": title, "description": "Sound and light", "price": price,
        })["id"]
        numbers, places = [], []
        for order in range(1, modules + 1):
            module = client.must(201, "POST", f"/courses/{course}/modules/create/", {
                "title": f"Module {order}", "order": order, "is_published": True,
            })["id"]
            places.append(module)
            for lesson in range(1, lessons + 1):
                numbers.append(client.must(201, "POST", f"/modules/{module}/lessons/create/", {
                    "title": f"Lesson {lesson}", "order": lesson, "is_published": True,
                })["id"])
        return Course(course, title, numbers, places)

    def add_exam(self, course, title, **more):
        """A published exam of one question, whose first option is right; its number and the question.
        `more` are fields that it has besides."""
        client = self.teacher.client
        exam = client.must(201, "POST", "/teacher/assessments/", {
            "title": title, "assessment_type": "exam", "course": course.number, "is_published": True, **more,
        })["id"]
        return exam, client.must(201, "POST", f"/teacher/assessments/{exam}/questions/", {
            "question_text": "What carries sound?", "question_type": "multiple_choice", "points": 1,
            "options": [{"option_text": "Air", "is_correct": True}, {"option_text": "Nothing", "is_correct": False}],
        })

    def add_coupons(self, count, price=50, uses=None, teacher=None):
        """New coupons as (number, code)."""
        client = (teacher or self.teacher).client
        body = {"number_of_coupons": count, "price": price}
        made = client.must(201, "POST", "/coupon/create/", body)
        for coupon in made if uses else ():
            client.must(200, "PATCH", f"/coupon/update/{coupon['id']}", {"max_uses": uses})
        return [(coupon["id"], coupon["code"]) for coupon in made]
