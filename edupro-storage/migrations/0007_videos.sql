-- Where the video of a lesson is, and how far it has come. A row outlives its lesson until nothing of
-- the video is left at its provider.
CREATE TABLE videos (
    id           UUID        NOT NULL PRIMARY KEY,
    teacher_id   BIGINT      NOT NULL REFERENCES teacher_profiles (id) ON DELETE CASCADE,
    lesson_id    UUID        REFERENCES lessons (id) ON DELETE SET NULL,
    title        TEXT        NOT NULL,
    provider     TEXT        NOT NULL,
    upload_id    TEXT,
    host_id      TEXT,
    status       TEXT        NOT NULL CHECK (status IN ('pre-upload', 'queued', 'ready', 'failed')),
    word         TEXT,
    -- Seconds; 0 is unknown.
    duration     BIGINT      NOT NULL CHECK (duration >= 0),
    file         TEXT,
    ticket       JSONB,
    begun_at     TIMESTAMPTZ,
    created_at   TIMESTAMPTZ NOT NULL,
    changed_at   TIMESTAMPTZ NOT NULL,
    discarded_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX videos_lesson_key ON videos (lesson_id);
-- A private file is looked up by its name, to ask who may have it.
CREATE UNIQUE INDEX videos_file_key ON videos (file);
CREATE UNIQUE INDEX videos_host_key ON videos (provider, host_id);
CREATE INDEX videos_upload_idx ON videos (provider, upload_id);
CREATE INDEX videos_teacher_idx ON videos (teacher_id);
CREATE INDEX videos_unsettled_idx ON videos (changed_at) WHERE status IN ('pre-upload', 'queued');
CREATE INDEX videos_discarded_idx ON videos (discarded_at) WHERE discarded_at IS NOT NULL;

-- Until now each video was a file here. Its row takes the lesson's id, which is no other video's.
INSERT INTO videos (id, teacher_id, lesson_id, title, provider, host_id, status, word, duration, file,
                    created_at, changed_at)
SELECT l.id, c.teacher_id, l.id, l.title, 'local', l.video, 'ready', 'ready', l.duration, l.video,
       l.created_at, l.created_at
FROM lessons l
JOIN modules m ON m.id = l.module_id
JOIN courses c ON c.id = m.course_id
WHERE l.video IS NOT NULL;
DROP INDEX lessons_video_key;
ALTER TABLE lessons DROP COLUMN video;

-- Uploads may take hours: they run beside the other jobs.
ALTER TABLE jobs ADD COLUMN is_slow BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX jobs_due_idx;
CREATE INDEX jobs_due_idx ON jobs (is_slow, due_at);
