"""The worker as a whole: it follows the logs for webhooks, mail and timers, sends, passes leads on, and tidies up."""
