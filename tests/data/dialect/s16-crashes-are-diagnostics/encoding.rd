<?xml version="1.0" encoding="klingon"?>
<resource schema="s"/>
