-- Where a session was opened from.
ALTER TABLE sessions ADD COLUMN address TEXT;

-- Who did what (security R52). Rows refer to nothing that could take one along, and say what people
-- were called then. An action is a word of the program's: no CHECK, so that a word that is not used
-- any more stays readable and a new one needs no migration.
CREATE TABLE audit_log (
    id           {identity},
    at           TIMESTAMPTZ NOT NULL,
    action       TEXT        NOT NULL,
    -- NULL: nobody who is known, or the command line.
    actor_id     BIGINT,
    actor_name   TEXT,
    -- Whose school it concerns, and whom in it.
    teacher_id   BIGINT,
    student_id   BIGINT,
    student_name TEXT,
    address      TEXT,
    object_kind  TEXT        NOT NULL,
    object_id    TEXT        NOT NULL,
    value_before JSONB,
    value_after  JSONB
);
CREATE INDEX audit_log_at_idx ON audit_log (at);
CREATE INDEX audit_log_teacher_idx ON audit_log (teacher_id, at DESC, id DESC)
    WHERE student_id IS NOT NULL;
