"""Mails that a server with `mail.provider = "file"` has written."""

import re
import time


def code_for(server, email, seen):
    """The code of a mail to somebody that is not in `seen` yet, which it then is."""
    for _ in range(1000):
        for mail in (server.data / "mail").glob("*.eml"):
            text = mail.read_text()
            code = re.search(r"code is: ([0-9A-Z]{6})\.", text)
            if mail.name not in seen and f"To: {email}" in text and code:
                seen.add(mail.name)
                return code[1]
        time.sleep(0.01)
    raise RuntimeError(f"no mail with a code for {email}")
