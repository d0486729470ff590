//! Tarek Mansour teaches mathematics.

use super::{
    colours::Colours,
    outline::{Content, Course, Lesson, Module, Person, Teacher},
    painting::{Pattern, Style},
};

pub(super) const TAREK: Teacher = Teacher {
    person: Person {
        username: "tarek",
        first_name: "Tarek",
        last_name: "Mansour",
        phone: "+201000000002",
    },
    specialization: "Mathematics",
    institution: "Alexandria Evening College",
    experience: "An engineer for nine years, a teacher for seven.",
    bio: "Nobody is bad at mathematics. Some have only been in a hurry.",
    students: &["salma", "nour"],
    style: Style {
        pattern: Pattern::Curve,
        colours: Colours { dark: [64, 18, 48], light: [255, 176, 120] },
    },
    courses: &[ALGEBRA, CALCULUS],
};

const ALGEBRA: Course = Course {
    title: "Algebra from the start",
    description: "Letters for numbers, equations as scales. For everybody who was left behind \
                  somewhere on the way, and would like to catch up.",
    category: "Mathematics",
    price: 0,
    is_published: true,
    modules: &[
        Module {
            title: "Letters for numbers",
            description: "What a letter stands for, and what one may do with it.",
            price: 0,
            lessons: &[
                Lesson {
                    title: "Think of a number",
                    description: "A trick that always works, and the reason why.",
                    content: Content::Film,
                },
                Lesson {
                    title: "Like terms",
                    description: "Apples to apples: what can be added up and what cannot.",
                    content: Content::Paper(&[
                        "1. 3a + 5a - 2a = ?",
                        "2. 2x + 3y - x + y = ?",
                        "3. 4(b + 2) - 3b = ?",
                        "4. Find two different terms that are equal for x = 2.",
                    ]),
                },
            ],
        },
        Module {
            title: "Equations",
            description: "Whatever is done to one side is done to the other.",
            price: 0,
            lessons: &[Lesson {
                title: "Keeping the balance",
                description: "Linear equations, step by step, with a test at the end.",
                content: Content::Both(&[
                    "1. x + 7 = 12",
                    "2. 3x - 4 = 11",
                    "3. 2(x + 1) = x + 9",
                    "4. A father is three times as old as his daughter. In twelve years he",
                    "   will be twice as old as she. How old are they?",
                ]),
            }],
        },
    ],
};

const CALCULUS: Course = Course {
    title: "Calculus: limits and derivatives",
    description: "How steep is a curve at a single point? The question took two thousand years; \
                  we take eight weeks.",
    category: "Mathematics",
    price: 420,
    is_published: true,
    modules: &[
        Module {
            title: "Limits",
            description: "Coming as close as one likes.",
            price: 150,
            lessons: &[
                Lesson {
                    title: "Achilles and the tortoise",
                    description: "Infinitely many steps, and yet he overtakes it.",
                    content: Content::Film,
                },
                Lesson {
                    title: "Calculating with limits",
                    description: "Sums, products and quotients; and where one has to take care.",
                    content: Content::Paper(&[
                        "1. What does (n + 1) / n come close to?",
                        "2. And (2n^2 - 3) / (n^2 + n)?",
                        "3. Give two sequences that grow without end, whose difference does not.",
                    ]),
                },
            ],
        },
        Module {
            title: "Derivatives",
            description: "The slope of a curve, and what it is good for.",
            price: 150,
            lessons: &[Lesson {
                title: "From the secant to the tangent",
                description: "Two points on a parabola move together until they are one.",
                content: Content::Both(&[
                    "1. Find the slope of y = x^2 between x = 1 and x = 3.",
                    "2. Between x = 1 and x = 1.1; between x = 1 and x = 1.01.",
                    "3. What do you suspect?",
                ]),
            }],
        },
    ],
};
