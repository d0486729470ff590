//! Laila Farouk teaches programming.

use super::{
    colours::Colours,
    outline::{Content, Course, Lesson, Module, Person, Teacher},
    painting::{Pattern, Style},
};

pub(super) const LAILA: Teacher = Teacher {
    person: Person {
        username: "laila",
        first_name: "Laila",
        last_name: "Farouk",
        phone: "+201000000003",
    },
    specialization: "Computer science",
    institution: "Delta Coding Club, Mansoura",
    experience: "Wrote software for railways; runs a coding club since 2016.",
    bio: "A program is a letter to somebody who takes every word literally.",
    students: &["karim", "nour", "hana"],
    style: Style {
        pattern: Pattern::Listing,
        colours: Colours { dark: [14, 44, 40], light: [170, 240, 190] },
    },
    courses: &[PYTHON, DATA],
};

const PYTHON: Course = Course {
    title: "First steps in Python",
    description: "From the first line to a game of your own. All you need is a computer and an \
                  hour a week.",
    category: "Computer science",
    price: 0,
    is_published: true,
    modules: &[
        Module {
            title: "Saying something",
            description: "A program that talks, and one that listens.",
            price: 0,
            lessons: &[
                Lesson {
                    title: "The first line",
                    description: "We install Python and let it greet us.",
                    content: Content::Film,
                },
                Lesson {
                    title: "Names for values",
                    description: "How a program remembers what it was told.",
                    content: Content::Paper(&[
                        "1. Ask for a name and greet its owner.",
                        "2. Ask for two numbers and print their sum. Why is it wrong at first?",
                        "3. Swap the values of a and b.",
                    ]),
                },
            ],
        },
        Module {
            title: "Deciding and repeating",
            description: "If, else and while: with these three you can already write a game.",
            price: 0,
            lessons: &[Lesson {
                title: "Guess my number",
                description: "The computer thinks of a number; you need at most seven guesses.",
                content: Content::Both(&[
                    "1. Let the program say whether a guess is too low or too high.",
                    "2. Count the guesses.",
                    "3. Turn it round: you think of a number and the program guesses.",
                ]),
            }],
        },
    ],
};

const DATA: Course = Course {
    title: "Data structures, step by step",
    description: "Lists, trees and tables: how to keep many things so that they are found again \
                  quickly. You should know loops and functions.",
    category: "Computer science",
    price: 500,
    is_published: true,
    modules: &[
        Module {
            title: "In a row",
            description: "Arrays, linked lists and what each of them is slow at.",
            price: 180,
            lessons: &[
                Lesson {
                    title: "Boxes on a shelf",
                    description: "The third one is found at once; a new one in the middle is work.",
                    content: Content::Film,
                },
                Lesson {
                    title: "Searching by halves",
                    description: "Twenty questions are enough for a million entries.",
                    content: Content::Paper(&[
                        "1. How many steps does it take among 1,000 entries? Among 2,000?",
                        "2. Write the search without looking at the lesson again.",
                        "3. What happens if the list is not sorted?",
                    ]),
                },
            ],
        },
        Module {
            title: "Trees",
            description: "Where each thing has its place below another.",
            price: 0,
            lessons: &[Lesson {
                title: "Growing a tree",
                description: "We insert, look up, and see what happens when all comes sorted.",
                content: Content::Film,
            }],
        },
    ],
};
