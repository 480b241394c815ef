"""The card document without a browser: its headers, its HTML, and the files it stands on."""
