/*
 * SPDX-FileCopyrightText: 2026 The Muster authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

#pragma once

#include <muster/muster.h>

/* The bounds of a document that is read. */
#define MUSTER_SIP_XML_MAX_BYTES      (64 * 1024)
#define MUSTER_SIP_XML_MAX_DEPTH      16
#define MUSTER_SIP_XML_MAX_ELEMENTS   1000
#define MUSTER_SIP_XML_MAX_ATTRIBUTES 32

/* A document, whole in memory. It lends its elements and all their texts. */
typedef struct _MusterSipXml MusterSipXml;

typedef struct _MusterSipElement MusterSipElement;
struct _MusterSipElement {
  const char *ns;          /* the namespace's name; "": none */
  const char *name;        /* without a prefix */
  const char *text;        /* the characters right in it, not those of its children */
  const char **attributes; /* name, value, ..., NULL: those without a prefix */
  MusterSipElement *first_child;
  MusterSipElement *next;
};

/* %MUSTER_ERROR_PROTOCOL for what is no XML, goes beyond the bounds or has a document type. */
MusterSipXml *muster_sip_xml_parse (const char *bytes, gsize n_bytes, GError **error);
void muster_sip_xml_free (MusterSipXml *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MusterSipXml, muster_sip_xml_free)

const MusterSipElement *muster_sip_xml_get_root (MusterSipXml *self);

gboolean muster_sip_element_is (const MusterSipElement *self, const char *ns, const char *name);
/* The first child of that name; nullable, also @self. */
const MusterSipElement *
muster_sip_element_child (const MusterSipElement *self, const char *ns, const char *name);
/* The next of its siblings with the same name; nullable. */
const MusterSipElement *muster_sip_element_again (const MusterSipElement *self);
/* nullable */
const char *muster_sip_element_attribute (const MusterSipElement *self, const char *name);

/* (nullable): what can be shown of a text: one line, blanks joined, at most @max_bytes; %NULL if nothing
 * is left of it. */
char *muster_sip_xml_dup_printable (const char *text, gsize max_bytes);
/* (nullable): a text as an address that may go into messages; %NULL if it is none. */
char *muster_sip_xml_dup_address (const char *text);
/* A number without a sign that fits; @text is nullable. */
gboolean muster_sip_xml_parse_uint32 (const char *text, guint32 *number);
