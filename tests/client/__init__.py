"""What a merchant's server sees of paydesk_client. Read exam.py first: both senders sit the same exam."""
