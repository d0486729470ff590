//! Mona Adel teaches physics.

use super::{
    colours::Colours,
    outline::{Content, Course, Lesson, Module, Person, Teacher},
    painting::{Pattern, Style},
};

pub(super) const MONA: Teacher = Teacher {
    person: Person {
        username: "mona",
        first_name: "Mona",
        last_name: "Adel",
        phone: "+201000000001",
    },
    specialization: "Physics",
    institution: "Nile Secondary School, Cairo",
    experience: "Twelve years of teaching physics to the last three school years.",
    bio: "I let things fall, swing and collide, and then we work out why.",
    students: &["omar", "salma", "karim"],
    style: Style {
        pattern: Pattern::Ripples,
        colours: Colours { dark: [16, 32, 88], light: [132, 206, 255] },
    },
    courses: &[MECHANICS, ELECTRICITY, WAVES],
};

const MECHANICS: Course = Course {
    title: "Mechanics for beginners",
    description: "How things move, and what makes them move: from a ball that is thrown to the \
                  forces on a bridge. No more mathematics than adding and dividing.",
    category: "Physics",
    price: 0,
    is_published: true,
    modules: &[
        Module {
            title: "Motion",
            description: "Speed, acceleration, and how to read them off a graph.",
            price: 0,
            lessons: &[
                Lesson {
                    title: "A ball is thrown",
                    description: "Five seconds of flight. Watch how far the ball gets in each \
                                  second, to the side and upwards.",
                    content: Content::Both(&[
                        "1. How far does the ball move to the side in each second?",
                        "2. At which second is it at its highest?",
                        "3. Draw its way. Which curve is it?",
                        "4. What would change on the Moon?",
                    ]),
                },
                Lesson {
                    title: "Speed and acceleration",
                    description: "The two are not the same: a fast car need not accelerate.",
                    content: Content::Paper(&[
                        "1. A train covers 180 km in 2 hours. What is its average speed?",
                        "2. A car reaches 20 m/s after 8 s. What is its acceleration?",
                        "3. Sketch the speed of a lift from the ground floor to the fifth.",
                    ]),
                },
            ],
        },
        Module {
            title: "Forces",
            description: "Newton's three laws, each with an experiment for the kitchen table.",
            price: 0,
            lessons: &[
                Lesson {
                    title: "Why does it stop?",
                    description: "Newton's first law, and friction, which hides it from us.",
                    content: Content::Film,
                },
                Lesson {
                    title: "Action and reaction",
                    description: "Who pulls harder, the Earth or the apple?",
                    content: Content::Paper(&[
                        "1. Name the two forces when you lean against a wall.",
                        "2. A rowing boat of 80 kg is pushed with 40 N. How does it move?",
                        "3. Why does a gun kick?",
                    ]),
                },
            ],
        },
    ],
};

const ELECTRICITY: Course = Course {
    title: "Electricity and magnetism",
    description: "Charges, currents and coils. At the end you will have built a motor out of a \
                  battery, a magnet and a piece of wire.",
    category: "Physics",
    price: 350,
    is_published: true,
    modules: &[
        Module {
            title: "Charge and current",
            description: "What flows in a wire, and what drives it.",
            price: 120,
            lessons: &[
                Lesson {
                    title: "What is a current?",
                    description: "Water in a pipe is a good picture, up to a point.",
                    content: Content::Film,
                },
                Lesson {
                    title: "Ohm's law",
                    description: "Voltage, current and resistance in one equation.",
                    content: Content::Paper(&[
                        "1. 230 V drive 2 A through a heater. What is its resistance?",
                        "2. Two resistors of 100 ohms are connected in parallel. And together?",
                        "3. Why does a bird on a high-voltage line live?",
                    ]),
                },
            ],
        },
        Module {
            title: "Magnets and coils",
            description: "Every current is a magnet, and every moving magnet makes a current.",
            price: 0,
            lessons: &[Lesson {
                title: "Build a motor",
                description: "What you need: a battery, a magnet, half a metre of enamelled wire.",
                content: Content::Both(&[
                    "1. Wind ten turns around the battery and leave both ends free.",
                    "2. Scrape one end bare all round, the other one only on its upper side.",
                    "3. Hang the coil above the magnet and give it a push.",
                    "4. Why must one half of the wire keep its enamel?",
                ]),
            }],
        },
    ],
};

const WAVES: Course = Course {
    title: "Waves and optics",
    description: "Sound, water and light. A draft for the next term.",
    category: "Physics",
    price: 280,
    is_published: false,
    modules: &[Module {
        title: "What is a wave?",
        description: "Something travels, and yet nothing gets carried along.",
        price: 0,
        lessons: &[Lesson {
            title: "Two stones in the water",
            description: "Where waves meet, they add up, or there is nothing at all.",
            content: Content::Film,
        }],
    }],
};
