"""Imports of CSV files, for the command line, the API and the panel alike.

    csv_file     bytes of a file ─▶ encoding, separator, header, rows
    headings     header ─▶ which column is which field: by its words, or by the file of another program (``presets``)
    values       the text of a cell ─▶ a value: prices, dates, tags, words of a list
    fields       the fields of each resource, with how their cells are read
    reading      a row ─▶ the values of a resource, or why there are none
    placing      values ─▶ what they are a duplicate of, and a change of it
    making       values ─▶ a new resource
    imports      an import as its row has it: what was asked for, how far it has come
    requesting   a file comes in ─▶ an import that waits, or begins
    steering     start, cancel, undo
    claiming     which worker works on which import
    running      goes on with an import, a batch of rows at a time
    batches      what becomes of each row of a batch, and the one append for all of them
    known_leads  the addresses of the leads that are there, since no index has them
    keeping      the stored file, and the rows that were refused, for as long as they are needed
    interrupted  imports of the command line that were broken off
    undoing      takes an import back

A row is done once: its resource's id is made of the import and the row, so that a batch that was interrupted is found
again. All events of an import have its id as their correlation, which is what an undo goes by.
"""
