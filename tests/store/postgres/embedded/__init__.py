"""The embedded server as newcomers meet it: several processes, kills, full disks, foreign owners; as root and not."""
