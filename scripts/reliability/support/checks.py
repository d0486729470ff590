"""What has to be true of a school's database and files, whatever has happened."""

import time

QUERIES = {
    "coupons whose count is not that of the ledger": """
        SELECT c.id FROM coupons c LEFT JOIN sales s ON s.coupon_id = c.id
        GROUP BY c.id, c.used_count HAVING COUNT(s.id) <> c.used_count""",
    "enrolments that nobody sold": """
        SELECT e.id FROM course_enrollments e
        WHERE NOT EXISTS (SELECT 1 FROM sales s WHERE s.student_id = e.student_id AND s.course_id = e.course_id)""",
    "sales without an enrolment": """
        SELECT s.id FROM sales s
        WHERE s.module_id IS NULL
          AND NOT EXISTS (SELECT 1 FROM course_enrollments e WHERE e.student_id = s.student_id AND e.course_id = s.course_id)""",
    "modules in one place": "SELECT course_id, position FROM modules GROUP BY course_id, position HAVING COUNT(*) > 1",
    "lessons in one place": "SELECT module_id, position FROM lessons GROUP BY module_id, position HAVING COUNT(*) > 1",
    "attempts that run beside another": """
        SELECT assessment_id, student_id FROM attempts WHERE status = 'in_progress'
        GROUP BY assessment_id, student_id HAVING COUNT(*) > 1""",
    "attempts of one number": """
        SELECT assessment_id, student_id, attempt_number FROM attempts
        GROUP BY assessment_id, student_id, attempt_number HAVING COUNT(*) > 1""",
    "progress in lessons that are gone": """
        SELECT p.id FROM lesson_progress p WHERE NOT EXISTS (SELECT 1 FROM lessons l WHERE l.id = p.lesson_id)""",
}
FILES = """
    SELECT avatar FROM users UNION SELECT logo FROM users UNION SELECT picture FROM student_profiles
    UNION SELECT picture FROM teacher_profiles UNION SELECT thumbnail FROM courses UNION SELECT image FROM modules
    UNION SELECT document FROM lessons UNION SELECT thumbnail FROM lessons UNION SELECT file FROM videos"""
# Of PostgreSQL's own: each foreign key, as a query for rows that point nowhere.
ORPHANS = """
    SELECT format('SELECT %L WHERE EXISTS (SELECT 1 FROM %s c LEFT JOIN %s p ON c.%I = p.%I WHERE c.%I IS NOT NULL AND p.%I IS NULL)',
        conname, conrelid::regclass, confrelid::regclass, a.attname, b.attname, a.attname, b.attname)
    FROM pg_constraint JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
    JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = confkey[1]
    WHERE contype = 'f' AND array_length(conkey, 1) = 1"""


def named_files(found, server):
    """The files that rows name."""
    return {row[0] for row in found.rows(server, " ".join(FILES.split())) if row[0]}


def check(found, server, files=True, patience=20):
    """Faults for all that is not as it has to be. Jobs may first do what is left to do."""
    wrong = []
    for name, query in QUERIES.items():
        rows = found.rows(server, " ".join(query.split()))
        if rows:
            wrong.append(f"{len(rows)} {name}")
    if server.database:
        for [query] in found.rows(server, " ".join(ORPHANS.split())):
            wrong += [f"orphans: {row[0]}" for row in found.rows(server, query)]
    else:
        wrong += [f"orphans: {row}" for row in found.rows(server, "PRAGMA foreign_key_check")]
        integrity = found.rows(server, "PRAGMA integrity_check")
        if integrity != [["ok"]]:
            wrong.append(f"integrity_check: {integrity[:3]}")
    begin, named, there = time.monotonic(), set(), set()
    while files:
        named = named_files(found, server)
        there = {str(path.relative_to(server.data / "files")) for path in server.stored()}
        if named == there or time.monotonic() > begin + patience:
            break
        time.sleep(0.5)
    if named - there:
        wrong.append(f"{len(named - there)} files that rows name are not there")
    if there - named:
        wrong.append(f"{len(there - named)} files that no row names")
    for text in wrong:
        found.fault(text)
    found.figure("what does not agree", len(wrong), most=0)
