-- Nobody changes the log, whatever the program does. A row may go when another is 400 days younger.
CREATE TRIGGER audit_log_final_update BEFORE UPDATE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_log_final_delete BEFORE DELETE ON audit_log
WHEN julianday(OLD.at) > (SELECT julianday(MAX(at)) FROM audit_log) - 400
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
