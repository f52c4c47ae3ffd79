"""The worker as a whole: it follows the logs for webhooks and mail, sends both, and tidies up."""
