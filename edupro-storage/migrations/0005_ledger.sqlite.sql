-- Nobody changes the ledger, whatever the program does.
CREATE TRIGGER sales_final_update BEFORE UPDATE ON sales BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

CREATE TRIGGER sales_final_delete BEFORE DELETE ON sales BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
