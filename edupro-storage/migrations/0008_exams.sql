CREATE TABLE assessments (
    id              UUID        NOT NULL PRIMARY KEY,
    teacher_id      BIGINT      NOT NULL REFERENCES teacher_profiles (id) ON DELETE CASCADE,
    title           TEXT        NOT NULL,
    description     TEXT,
    assessment_type TEXT        NOT NULL
                    CHECK (assessment_type IN ('quiz', 'exam', 'assignment', 'course_exam')),
    course_id       UUID        REFERENCES courses (id) ON DELETE CASCADE,
    module_id       UUID        REFERENCES modules (id) ON DELETE CASCADE,
    lesson_id       UUID        REFERENCES lessons (id) ON DELETE CASCADE,
    is_published    BOOLEAN     NOT NULL,
    -- Minutes; without a limit it is not timed.
    time_limit      BIGINT      CHECK (time_limit >= 1),
    max_attempts    BIGINT      NOT NULL CHECK (max_attempts >= 1),
    -- Hundredths of a percent.
    passing_grade   BIGINT      NOT NULL CHECK (passing_grade BETWEEN 0 AND 10000),
    available_from  TIMESTAMPTZ NOT NULL,
    available_until TIMESTAMPTZ,
    -- Derived: always what a recount gives. Points are hundredths.
    total_questions BIGINT      NOT NULL,
    total_points    BIGINT      NOT NULL,
    -- How often its questions have changed: each number has one paper at most.
    revision        BIGINT      NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    CHECK (available_until > available_from),
    CHECK (CASE WHEN course_id IS NULL THEN 0 ELSE 1 END
         + CASE WHEN module_id IS NULL THEN 0 ELSE 1 END
         + CASE WHEN lesson_id IS NULL THEN 0 ELSE 1 END <= 1)
);
CREATE INDEX assessments_teacher_idx ON assessments (teacher_id, created_at DESC, id DESC);
CREATE INDEX assessments_course_idx ON assessments (course_id) WHERE course_id IS NOT NULL;
CREATE INDEX assessments_module_idx ON assessments (module_id) WHERE module_id IS NOT NULL;
CREATE INDEX assessments_lesson_idx ON assessments (lesson_id) WHERE lesson_id IS NOT NULL;

CREATE TABLE questions (
    id            UUID   NOT NULL PRIMARY KEY,
    assessment_id UUID   NOT NULL REFERENCES assessments (id) ON DELETE CASCADE,
    question_text TEXT   NOT NULL,
    question_type TEXT   NOT NULL
                  CHECK (question_type IN ('multiple_choice', 'true_false', 'short_answer', 'essay',
                                           'fill_blank')),
    points        BIGINT NOT NULL CHECK (points > 0),
    -- From 1; below zero only while others make room.
    position      BIGINT NOT NULL CHECK (position <> 0),
    explanation   TEXT,
    image         TEXT,
    -- How its answers are marked, where the teacher has said so.
    marking       JSONB,
    -- How often the question or an option of it has changed.
    version       BIGINT NOT NULL
);
CREATE UNIQUE INDEX questions_position_key ON questions (assessment_id, position);

CREATE TABLE question_options (
    id          UUID    NOT NULL PRIMARY KEY,
    question_id UUID    NOT NULL REFERENCES questions (id) ON DELETE CASCADE,
    option_text TEXT    NOT NULL,
    is_correct  BOOLEAN NOT NULL,
    position    BIGINT  NOT NULL CHECK (position >= 1)
);
CREATE UNIQUE INDEX question_options_position_key ON question_options (question_id, position);

-- The questions of one revision as they were, shared by all attempts of that revision: a change
-- of the assessment never touches an attempt.
CREATE TABLE papers (
    id            UUID   NOT NULL PRIMARY KEY,
    assessment_id UUID   NOT NULL REFERENCES assessments (id) ON DELETE CASCADE,
    revision      BIGINT NOT NULL,
    content       JSONB  NOT NULL,
    -- The images in it, a line each: they are kept as long as the paper.
    images        TEXT   NOT NULL
);
CREATE UNIQUE INDEX papers_revision_key ON papers (assessment_id, revision);

CREATE TABLE attempts (
    id               UUID        NOT NULL PRIMARY KEY,
    student_id       BIGINT      NOT NULL REFERENCES student_profiles (id) ON DELETE CASCADE,
    assessment_id    UUID        NOT NULL REFERENCES assessments (id) ON DELETE CASCADE,
    paper_id         UUID        NOT NULL REFERENCES papers (id) ON DELETE CASCADE,
    attempt_number   BIGINT      NOT NULL CHECK (attempt_number >= 1),
    status           TEXT        NOT NULL
                     CHECK (status IN ('in_progress', 'submitted', 'graded', 'expired')),
    started_at       TIMESTAMPTZ NOT NULL,
    deadline         TIMESTAMPTZ,
    ended_at         TIMESTAMPTZ,
    score            BIGINT      CHECK (score >= 0),
    -- What the paper gives at most, and the share of it in hundredths of a percent that passes:
    -- both as they were at the start.
    max_score        BIGINT      NOT NULL CHECK (max_score >= 0),
    passing_grade    BIGINT      NOT NULL CHECK (passing_grade BETWEEN 0 AND 10000),
    percentage       BIGINT      CHECK (percentage BETWEEN 0 AND 10000),
    is_passed        BOOLEAN,
    -- No person has graded any of it.
    auto_graded      BOOLEAN     NOT NULL,
    graded_at        TIMESTAMPTZ,
    graded_by        BIGINT      REFERENCES teacher_profiles (id) ON DELETE SET NULL,
    teacher_feedback TEXT,
    CHECK (score <= max_score),
    CHECK (status <> 'graded' OR (score IS NOT NULL AND percentage IS NOT NULL AND is_passed IS NOT NULL))
);
CREATE UNIQUE INDEX attempts_number_key ON attempts (student_id, assessment_id, attempt_number);
-- A student is in one attempt of an assessment at a time.
CREATE UNIQUE INDEX attempts_running_key ON attempts (student_id, assessment_id)
    WHERE status = 'in_progress';
CREATE INDEX attempts_student_idx ON attempts (student_id, started_at DESC, id DESC);
CREATE INDEX attempts_assessment_idx ON attempts (assessment_id, started_at DESC, id DESC);
CREATE INDEX attempts_paper_idx ON attempts (paper_id);
CREATE INDEX attempts_deadline_idx ON attempts (deadline) WHERE status = 'in_progress';
CREATE INDEX attempts_waiting_idx ON attempts (assessment_id, ended_at) WHERE status = 'submitted';
CREATE INDEX attempts_graded_by_idx ON attempts (graded_by) WHERE graded_by IS NOT NULL;

-- Written when an attempt is submitted: every question of its paper, unanswered ones too, with the
-- words that the result shows. A question may be changed or deleted: what was answered stays.
CREATE TABLE answers (
    id               UUID    NOT NULL PRIMARY KEY,
    attempt_id       UUID    NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    question_id      UUID    NOT NULL,
    question_version BIGINT  NOT NULL,
    position         BIGINT  NOT NULL CHECK (position >= 1),
    question_text    TEXT    NOT NULL,
    question_type    TEXT    NOT NULL
                     CHECK (question_type IN ('multiple_choice', 'true_false', 'short_answer',
                                              'essay', 'fill_blank')),
    -- What it gives at most.
    points           BIGINT  NOT NULL CHECK (points > 0),
    -- The chosen options, the text, or what was written into each blank, by its name.
    selected         JSONB   NOT NULL,
    text_answer      TEXT,
    blanks           JSONB,
    -- What was answered and what is right, in words.
    student_answer   TEXT    NOT NULL,
    correct_answer   TEXT    NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('graded', 'pending', 'deferred')),
    points_awarded   BIGINT  CHECK (points_awarded >= 0),
    is_correct       BOOLEAN,
    teacher_feedback TEXT,
    -- Who graded it last: the program or a person.
    auto_graded      BOOLEAN NOT NULL,
    manual_graded    BOOLEAN NOT NULL,
    graded_at        TIMESTAMPTZ,
    -- Who grades it later, since when, and under which ticket once there is one.
    grader           TEXT,
    ticket           TEXT,
    deferred_at      TIMESTAMPTZ,
    -- What a grader said that left it to a person: why, and what it would give.
    remark           JSONB,
    CHECK (points_awarded <= points),
    CHECK (state <> 'graded' OR (points_awarded IS NOT NULL AND is_correct IS NOT NULL)),
    CHECK (state <> 'deferred' OR (grader IS NOT NULL AND deferred_at IS NOT NULL))
);
CREATE UNIQUE INDEX answers_question_key ON answers (attempt_id, question_id);
CREATE UNIQUE INDEX answers_position_key ON answers (attempt_id, position);
CREATE INDEX answers_question_idx ON answers (question_id);
CREATE INDEX answers_pending_idx ON answers (attempt_id, position) WHERE state = 'pending';
CREATE INDEX answers_deferred_idx ON answers (deferred_at, id) WHERE state = 'deferred';

-- Who graded what.
CREATE TABLE grading_history (
    id            {identity},
    answer_id     UUID        NOT NULL REFERENCES answers (id) ON DELETE CASCADE,
    -- NULL is the program.
    graded_by     BIGINT      REFERENCES teacher_profiles (id) ON DELETE SET NULL,
    reason        TEXT        NOT NULL CHECK (reason IN ('auto', 'manual', 'regrade')),
    points_before BIGINT,
    points_after  BIGINT      NOT NULL,
    feedback      TEXT,
    graded_at     TIMESTAMPTZ NOT NULL
);
CREATE INDEX grading_history_answer_idx ON grading_history (answer_id, id);
CREATE INDEX grading_history_graded_by_idx ON grading_history (graded_by) WHERE graded_by IS NOT NULL;
