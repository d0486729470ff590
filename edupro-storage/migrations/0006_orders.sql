-- What students pay for outside. Like the ledger it refers to nothing that could take a row along:
-- money that comes in late still finds what it was for.
CREATE TABLE orders (
    id             UUID        NOT NULL PRIMARY KEY,
    provider       TEXT        NOT NULL,
    student_id     BIGINT      NOT NULL,
    customer_email TEXT        NOT NULL,
    teacher_id     BIGINT      NOT NULL,
    course_id      UUID        NOT NULL,
    course_title   TEXT        NOT NULL,
    module_id      UUID,
    module_title   TEXT,
    -- The module, or the course.
    item_id        UUID        NOT NULL,
    -- The price in hundredths, frozen like everything that the provider is asked with.
    price          BIGINT      NOT NULL CHECK (price > 0),
    currency       TEXT        NOT NULL,
    success_url    TEXT        NOT NULL,
    cancel_url     TEXT        NOT NULL,
    status         TEXT        NOT NULL CHECK (status IN ('created', 'open', 'pending', 'paid', 'paid_unneeded',
                                                          'failed', 'expired', 'refunded')),
    session        TEXT,
    url            TEXT,
    charge         TEXT,
    refunded       BIGINT      NOT NULL CHECK (refunded >= 0),
    problem        TEXT,
    created_at     TIMESTAMPTZ NOT NULL,
    expires_at     TIMESTAMPTZ NOT NULL,
    paid_at        TIMESTAMPTZ,
    -- When the provider was last asked about it.
    asked_at       TIMESTAMPTZ,
    updated_at     TIMESTAMPTZ NOT NULL,
    CHECK (refunded <= price)
);
-- One at a time for each student and thing.
CREATE UNIQUE INDEX orders_unsettled_key ON orders (student_id, item_id)
    WHERE status IN ('created', 'open', 'pending');
CREATE INDEX orders_waiting_idx ON orders (asked_at, created_at) WHERE status IN ('created', 'open', 'pending');
CREATE INDEX orders_session_idx ON orders (provider, session);
CREATE INDEX orders_charge_idx ON orders (provider, charge);

-- What was said already.
CREATE TABLE payment_events (
    provider    TEXT        NOT NULL,
    event       TEXT        NOT NULL,
    order_id    UUID        NOT NULL,
    received_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (provider, event)
);
CREATE INDEX payment_events_received_idx ON payment_events (received_at);

ALTER TABLE sales ADD COLUMN order_id UUID;
-- An order is sold once; what goes back are rows below zero.
CREATE UNIQUE INDEX sales_order_key ON sales (order_id) WHERE amount > 0;
CREATE INDEX sales_student_idx ON sales (student_id, course_id);
