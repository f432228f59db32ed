"""What a user of the real SDKs sees: recorded against a server, replayed when it is gone."""
